-- What customers were told about their orders. Times are microseconds since 1970.
CREATE TABLE IF NOT EXISTS notification (
    id binary(16) NOT NULL PRIMARY KEY,
    -- The event it is about.
    event binary(16) NOT NULL,
    -- What happened: order_confirmed, order_adjusted, order_rejected, order_cancelled, order_expired, order_shipped or
    -- order_returned.
    kind longtext CHARACTER SET utf8mb4 NOT NULL,
    order_id binary(16) NOT NULL,
    customer_id binary(16) NOT NULL,
    -- When the event happened.
    happened_at bigint NOT NULL,
    -- 1 pending: begun and not heard of since, 2 sent, 3 failed, for a reason.
    status smallint NOT NULL,
    reason longtext CHARACTER SET utf8mb4 NULL,
    -- How often sending was begun.
    attempts bigint NOT NULL,
    updated_at bigint NOT NULL,
    CONSTRAINT notification_attempts CHECK (attempts > 0),
    CONSTRAINT notification_reason CHECK ((status = 3) = (reason IS NOT NULL)),
    INDEX notification_order (order_id, happened_at, id)
);

-- Events that were decided and wait to be published, as many to a row as a batch decided. The relay deletes them.
CREATE TABLE IF NOT EXISTS notification_outbox (
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
CREATE TABLE IF NOT EXISTS notification_outbox_aside (
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
CREATE TABLE IF NOT EXISTS notification_outbox_lease (
    shard bigint NOT NULL PRIMARY KEY,
    worker varbinary(255) NOT NULL,
    epoch bigint NOT NULL,
    ends_at bigint NOT NULL
);

INSERT IGNORE INTO notification_outbox_lease (shard, worker, epoch, ends_at) VALUES
    (0, '', 0, 0), (1, '', 0, 0), (2, '', 0, 0), (3, '', 0, 0), (4, '', 0, 0), (5, '', 0, 0), (6, '', 0, 0), (7, '', 0, 0), (8, '', 0, 0), (9, '', 0, 0), (10, '', 0, 0), (11, '', 0, 0), (12, '', 0, 0), (13, '', 0, 0), (14, '', 0, 0), (15, '', 0, 0);
