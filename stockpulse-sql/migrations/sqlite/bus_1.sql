-- The bus: an append-only log in partitions. Who appends to a partition holds its row's lock until it commits, so offsets
-- become visible in their order and without gaps.
CREATE TABLE bus_partition (
    partition_no integer NOT NULL PRIMARY KEY,
    -- The oldest event that was not pruned.
    first_offset integer NOT NULL,
    -- Where the next event goes.
    next_offset integer NOT NULL
);

CREATE TABLE bus_event (
    partition_no integer NOT NULL,
    event_offset integer NOT NULL,
    event_id blob NOT NULL,
    type_name text NOT NULL,
    source text NOT NULL,
    subject text NOT NULL,
    -- In microseconds since 1970, like all times here.
    happened_at integer NOT NULL,
    partition_key text NOT NULL,
    event_sequence integer NOT NULL,
    -- As in a traceparent header.
    trace text NULL,
    -- How often it was delivered before, if it is a dead letter that was replayed.
    deliveries integer NOT NULL,
    body blob NOT NULL,
    -- The one group that it is for, if it is a dead letter that was replayed.
    only_group text NULL,
    PRIMARY KEY (partition_no, event_offset)
);

-- Consumer groups. Who changes the members of a group or shares its partitions out holds its row's lock.
CREATE TABLE bus_group (
    group_name text NOT NULL PRIMARY KEY,
    -- Counts how often partitions were shared out.
    generation integer NOT NULL,
    -- What its members subscribe to, one to a line.
    event_types text NOT NULL
);

CREATE TABLE bus_member (
    group_name text NOT NULL,
    member blob NOT NULL,
    -- When it counts as gone, by the database's clock, unless it shows itself before.
    ends_at integer NOT NULL,
    PRIMARY KEY (group_name, member)
);

-- A group's place in each partition.
CREATE TABLE bus_place (
    group_name text NOT NULL,
    partition_no integer NOT NULL,
    -- The first event that is not done.
    event_offset integer NOT NULL,
    -- Who reads the partition, and the group's generation when it was given to that member.
    owner blob NULL,
    generation integer NOT NULL,
    -- The first event that is to be tried again, not before when, and how often it was delivered.
    retry_offset integer NULL,
    retry_at integer NULL,
    deliveries integer NOT NULL,
    PRIMARY KEY (group_name, partition_no)
);

-- Events that a group put aside.
CREATE TABLE bus_dead_letter (
    group_name text NOT NULL,
    partition_no integer NOT NULL,
    event_offset integer NOT NULL,
    reason text NOT NULL,
    put_aside_at integer NOT NULL,
    event_id blob NOT NULL,
    type_name text NOT NULL,
    source text NOT NULL,
    subject text NOT NULL,
    happened_at integer NOT NULL,
    partition_key text NOT NULL,
    event_sequence integer NOT NULL,
    trace text NULL,
    deliveries integer NOT NULL,
    body blob NOT NULL,
    PRIMARY KEY (group_name, partition_no, event_offset)
);
