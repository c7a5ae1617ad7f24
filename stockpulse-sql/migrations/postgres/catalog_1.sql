-- Products, by SKU. Times are microseconds since 1970.
CREATE TABLE product (
    sku text COLLATE "C" NOT NULL PRIMARY KEY,
    name text NOT NULL,
    -- Whether it can be ordered.
    active boolean NOT NULL,
    -- Counts its changes.
    version bigint NOT NULL,
    updated_at bigint NOT NULL,
    -- JSON: the whole product. The columns above repeat what people look for.
    body text NOT NULL,
    CONSTRAINT product_version CHECK (version > 0)
);

-- What was decided about each command, so that the same id gets the same answer. Rows older than any retry may be pruned.
CREATE TABLE product_command (
    id uuid NOT NULL PRIMARY KEY,
    -- Of what was asked: tells a retry from another request under the same id.
    fingerprint bigint NOT NULL,
    -- In the core's binary form.
    outcome bytea NOT NULL,
    decided_at bigint NOT NULL
);

-- Events that were decided and wait to be published, as many to a row as a batch decided. The relay deletes them.
CREATE TABLE product_outbox (
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
ALTER TABLE product_outbox ALTER COLUMN body SET STORAGE EXTERNAL;

-- Events that could not be published: to be tried again at a time, or, without one, set aside for good.
CREATE TABLE product_outbox_aside (
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
CREATE TABLE product_outbox_lease (
    shard bigint NOT NULL PRIMARY KEY,
    worker text COLLATE "C" NOT NULL,
    epoch bigint NOT NULL,
    ends_at bigint NOT NULL
);

INSERT INTO product_outbox_lease (shard, worker, epoch, ends_at) VALUES
    (0, '', 0, 0), (1, '', 0, 0), (2, '', 0, 0), (3, '', 0, 0), (4, '', 0, 0), (5, '', 0, 0), (6, '', 0, 0), (7, '', 0, 0), (8, '', 0, 0), (9, '', 0, 0), (10, '', 0, 0), (11, '', 0, 0), (12, '', 0, 0), (13, '', 0, 0), (14, '', 0, 0), (15, '', 0, 0);
