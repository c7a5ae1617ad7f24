-- Orders, by id. Times are microseconds since 1970, quantities are in the product's smallest unit.
CREATE TABLE IF NOT EXISTS orders (
    id binary(16) NOT NULL PRIMARY KEY,
    customer_id binary(16) NULL,
    -- 1 placed, 2 confirmed, 3 partly shipped, 4 shipped, 5 rejected, 6 cancelled, 7 expired, 8 returned.
    status smallint NOT NULL,
    -- 1 not required, 2 due, 3 started, 4 paid, 5 refund due.
    payment smallint NOT NULL,
    -- Until when it has to be paid, if it has to.
    pay_by bigint NULL,
    -- The same for as long as the order waits for its payment: what is overdue is one range.
    due_at bigint NULL,
    placed_at bigint NOT NULL,
    -- Counts its history.
    version bigint NOT NULL,
    -- JSON: the whole order. The columns above repeat what it is found by.
    body longtext CHARACTER SET utf8mb4 NOT NULL,
    CONSTRAINT orders_version CHECK (version > 0),
    CONSTRAINT orders_due_at CHECK (due_at IS NULL OR due_at = pay_by),
    INDEX orders_customer (customer_id, id),
    INDEX orders_status (status, id),
    INDEX orders_due (due_at, id)
);

-- What happened to each order, append-only.
CREATE TABLE IF NOT EXISTS order_history (
    order_id binary(16) NOT NULL,
    -- The order's version after it: 1, 2, 3 ... without a gap.
    version bigint NOT NULL,
    -- 1 placed, 2 confirmed, 3 adjusted, 4 rejected, 5 payment started, 6 paid, 7 payment failed, 8 paid late,
    -- 9 paid again, 10 shipped partly, 11 shipped, 12 cancelled, 13 returned, 14 expired, 15 hold lost, 16 filled,
    -- 17 allocated.
    kind smallint NOT NULL,
    -- The order's status after it.
    status smallint NOT NULL,
    happened_at bigint NOT NULL,
    -- Who: customer:ID, staff:NAME or service:NAME; NULL is StockPulse itself.
    actor longtext CHARACTER SET utf8mb4 NULL,
    -- What it followed from: event:ID or command:ID; NULL is a request.
    cause longtext CHARACTER SET utf8mb4 NULL,
    command binary(16) NOT NULL,
    reason longtext CHARACTER SET utf8mb4 NULL,
    PRIMARY KEY (order_id, version),
    CONSTRAINT order_history_version CHECK (version > 0)
);

-- How many units each customer has on order of SKUs whose purchase is limited.
CREATE TABLE IF NOT EXISTS order_purchase (
    customer_id binary(16) NOT NULL,
    sku varbinary(255) NOT NULL,
    units bigint NOT NULL,
    PRIMARY KEY (customer_id, sku),
    CONSTRAINT order_purchase_units CHECK (units >= 0)
);

-- What was decided about each command, so that the same id gets the same answer. Rows older than any retry may be pruned.
CREATE TABLE IF NOT EXISTS order_command (
    id binary(16) NOT NULL PRIMARY KEY,
    -- Of what was asked: tells a retry from another request under the same id.
    fingerprint bigint NOT NULL,
    -- In the core's binary form.
    outcome longblob NOT NULL,
    decided_at bigint NOT NULL
);

-- Events that were decided and wait to be published, as many to a row as a batch decided. The relay deletes them.
CREATE TABLE IF NOT EXISTS order_outbox (
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
CREATE TABLE IF NOT EXISTS order_outbox_aside (
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
CREATE TABLE IF NOT EXISTS order_outbox_lease (
    shard bigint NOT NULL PRIMARY KEY,
    worker varbinary(255) NOT NULL,
    epoch bigint NOT NULL,
    ends_at bigint NOT NULL
);

INSERT IGNORE INTO order_outbox_lease (shard, worker, epoch, ends_at) VALUES
    (0, '', 0, 0), (1, '', 0, 0), (2, '', 0, 0), (3, '', 0, 0), (4, '', 0, 0), (5, '', 0, 0), (6, '', 0, 0), (7, '', 0, 0), (8, '', 0, 0), (9, '', 0, 0), (10, '', 0, 0), (11, '', 0, 0), (12, '', 0, 0), (13, '', 0, 0), (14, '', 0, 0), (15, '', 0, 0);
