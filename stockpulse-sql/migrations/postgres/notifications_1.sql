-- What customers were told about their orders. Times are microseconds since 1970.
CREATE TABLE notification (
    id uuid NOT NULL PRIMARY KEY,
    -- The event it is about.
    event uuid NOT NULL,
    -- What happened: order_confirmed, order_adjusted, order_rejected, order_cancelled, order_expired, order_shipped or
    -- order_returned.
    kind text NOT NULL,
    order_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    -- When the event happened.
    happened_at bigint NOT NULL,
    -- 1 pending: begun and not heard of since, 2 sent, 3 failed, for a reason.
    status smallint NOT NULL,
    reason text NULL,
    -- How often sending was begun.
    attempts bigint NOT NULL,
    updated_at bigint NOT NULL,
    CONSTRAINT notification_attempts CHECK (attempts > 0),
    CONSTRAINT notification_reason CHECK ((status = 3) = (reason IS NOT NULL))
);

-- What was told about an order, in the order of its events.
CREATE INDEX notification_order ON notification (order_id, happened_at, id);

-- Events that were decided and wait to be published, as many to a row as a batch decided. The relay deletes them.
CREATE TABLE notification_outbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- When the first of them happened, in microseconds since 1970.
    first_at bigint NOT NULL,
    -- The shards of those that wait, a bit each.
    shards bigint NOT NULL,
    -- How many of them wait.
    pending bigint NOT NULL,
    -- The shard of each, a byte each.
    event_shards bytea NOT NULL,
    -- Which of them are dealt with, a bit each.
    settled bytea NULL,
    -- The events, in the core's binary form.
    body bytea NOT NULL
);

-- They live for a moment: compressing them costs more than it saves.
ALTER TABLE notification_outbox ALTER COLUMN body SET STORAGE EXTERNAL;

-- Events that could not be published: to be tried again at a time, or, without one, set aside for good.
CREATE TABLE notification_outbox_aside (
    id bigint NOT NULL PRIMARY KEY,
    shard bigint NOT NULL,
    -- What the event is about; its later events wait behind it.
    event_key text NOT NULL,
    attempts bigint NOT NULL,
    retry_at bigint NULL,
    reason text NULL,
    happened_at bigint NOT NULL,
    body bytea NOT NULL
);

-- Which relay publishes which shard, until when.
CREATE TABLE notification_outbox_lease (
    shard bigint NOT NULL PRIMARY KEY,
    worker text COLLATE "C" NOT NULL,
    epoch bigint NOT NULL,
    ends_at bigint NOT NULL
);

INSERT INTO notification_outbox_lease (shard, worker, epoch, ends_at) VALUES
    (0, '', 0, 0), (1, '', 0, 0), (2, '', 0, 0), (3, '', 0, 0), (4, '', 0, 0), (5, '', 0, 0), (6, '', 0, 0), (7, '', 0, 0), (8, '', 0, 0), (9, '', 0, 0), (10, '', 0, 0), (11, '', 0, 0), (12, '', 0, 0), (13, '', 0, 0), (14, '', 0, 0), (15, '', 0, 0);
