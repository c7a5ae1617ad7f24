-- The bus: an append-only log in partitions. Who appends to a partition holds its row's lock until it commits, so offsets
-- become visible in their order and without gaps.
CREATE TABLE IF NOT EXISTS bus_partition (
    partition_no bigint NOT NULL PRIMARY KEY,
    -- The oldest event that was not pruned.
    first_offset bigint NOT NULL,
    -- Where the next event goes.
    next_offset bigint NOT NULL
);

CREATE TABLE IF NOT EXISTS bus_event (
    partition_no bigint NOT NULL,
    event_offset bigint NOT NULL,
    event_id binary(16) NOT NULL,
    type_name varbinary(1024) NOT NULL,
    source varbinary(1024) NOT NULL,
    subject varbinary(1024) NOT NULL,
    -- In microseconds since 1970, like all times here.
    happened_at bigint NOT NULL,
    partition_key varbinary(1024) NOT NULL,
    event_sequence bigint NOT NULL,
    -- As in a traceparent header.
    trace varbinary(255) NULL,
    -- How often it was delivered before, if it is a dead letter that was replayed.
    deliveries bigint NOT NULL,
    body longblob NOT NULL,
    -- The one group that it is for, if it is a dead letter that was replayed.
    only_group varbinary(255) NULL,
    PRIMARY KEY (partition_no, event_offset)
);

-- Consumer groups. Who changes the members of a group or shares its partitions out holds its row's lock.
CREATE TABLE IF NOT EXISTS bus_group (
    group_name varbinary(255) NOT NULL PRIMARY KEY,
    -- Counts how often partitions were shared out.
    generation bigint NOT NULL,
    -- What its members subscribe to, one to a line.
    event_types longtext CHARACTER SET utf8mb4 NOT NULL
);

CREATE TABLE IF NOT EXISTS bus_member (
    group_name varbinary(255) NOT NULL,
    member binary(16) NOT NULL,
    -- When it counts as gone, by the database's clock, unless it shows itself before.
    ends_at bigint NOT NULL,
    PRIMARY KEY (group_name, member)
);

-- A group's place in each partition.
CREATE TABLE IF NOT EXISTS bus_place (
    group_name varbinary(255) NOT NULL,
    partition_no bigint NOT NULL,
    -- The first event that is not done.
    event_offset bigint NOT NULL,
    -- Who reads the partition, and the group's generation when it was given to that member.
    owner binary(16) NULL,
    generation bigint NOT NULL,
    -- The first event that is to be tried again, not before when, and how often it was delivered.
    retry_offset bigint NULL,
    retry_at bigint NULL,
    deliveries bigint NOT NULL,
    PRIMARY KEY (group_name, partition_no)
);

-- Events that a group put aside.
CREATE TABLE IF NOT EXISTS bus_dead_letter (
    group_name varbinary(255) NOT NULL,
    partition_no bigint NOT NULL,
    event_offset bigint NOT NULL,
    reason longtext CHARACTER SET utf8mb4 NOT NULL,
    put_aside_at bigint NOT NULL,
    event_id binary(16) NOT NULL,
    type_name varbinary(1024) NOT NULL,
    source varbinary(1024) NOT NULL,
    subject varbinary(1024) NOT NULL,
    happened_at bigint NOT NULL,
    partition_key varbinary(1024) NOT NULL,
    event_sequence bigint NOT NULL,
    trace varbinary(255) NULL,
    deliveries bigint NOT NULL,
    body longblob NOT NULL,
    PRIMARY KEY (group_name, partition_no, event_offset)
);
