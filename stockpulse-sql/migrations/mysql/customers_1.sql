-- Customers, by id. Times are microseconds since 1970.
CREATE TABLE IF NOT EXISTS customer (
    id binary(16) NOT NULL PRIMARY KEY,
    name longtext CHARACTER SET utf8mb4 NOT NULL,
    -- Where notifications go, if anywhere.
    email longtext CHARACTER SET utf8mb4 NULL,
    -- Whether the customer may order.
    active tinyint(1) NOT NULL,
    -- Counts the changes.
    version bigint NOT NULL,
    updated_at bigint NOT NULL,
    -- JSON: the whole customer. The columns above repeat what people look for.
    body longtext CHARACTER SET utf8mb4 NOT NULL,
    CONSTRAINT customer_version CHECK (version > 0)
);

-- What was decided about each command, so that the same id gets the same answer. Rows older than any retry may be pruned.
CREATE TABLE IF NOT EXISTS customer_command (
    id binary(16) NOT NULL PRIMARY KEY,
    -- Of what was asked: tells a retry from another request under the same id.
    fingerprint bigint NOT NULL,
    -- In the core's binary form.
    outcome longblob NOT NULL,
    decided_at bigint NOT NULL
);

-- Events that were decided and wait to be published, as many to a row as a batch decided. The relay deletes them.
CREATE TABLE IF NOT EXISTS customer_outbox (
    id bigint AUTO_INCREMENT PRIMARY KEY,
    -- When the first of them happened, in microseconds since 1970.
    first_at bigint NOT NULL,
    -- The shards of those that wait, a bit each.
    shards bigint NOT NULL,
    -- How many of them wait.
    pending bigint NOT NULL,
    -- The shard of each, a byte each.
    event_shards longblob NOT NULL,
    -- Which of them are dealt with, a bit each.
    settled longblob NULL,
    -- The events, in the core's binary form.
    body longblob NOT NULL
);

-- Events that could not be published: to be tried again at a time, or, without one, set aside for good.
CREATE TABLE IF NOT EXISTS customer_outbox_aside (
    id bigint NOT NULL PRIMARY KEY,
    shard bigint NOT NULL,
    -- What the event is about; its later events wait behind it.
    event_key longtext CHARACTER SET utf8mb4 NOT NULL,
    attempts bigint NOT NULL,
    retry_at bigint NULL,
    reason longtext CHARACTER SET utf8mb4 NULL,
    happened_at bigint NOT NULL,
    body longblob NOT NULL
);

-- Which relay publishes which shard, until when.
CREATE TABLE IF NOT EXISTS customer_outbox_lease (
    shard bigint NOT NULL PRIMARY KEY,
    worker varbinary(255) NOT NULL,
    epoch bigint NOT NULL,
    ends_at bigint NOT NULL
);

INSERT IGNORE INTO customer_outbox_lease (shard, worker, epoch, ends_at) VALUES
    (0, '', 0, 0), (1, '', 0, 0), (2, '', 0, 0), (3, '', 0, 0), (4, '', 0, 0), (5, '', 0, 0), (6, '', 0, 0), (7, '', 0, 0), (8, '', 0, 0), (9, '', 0, 0), (10, '', 0, 0), (11, '', 0, 0), (12, '', 0, 0), (13, '', 0, 0), (14, '', 0, 0), (15, '', 0, 0);
