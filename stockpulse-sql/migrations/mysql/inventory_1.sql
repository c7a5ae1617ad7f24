-- Stock, by SKU and location. Times are microseconds since 1970, quantities are in the product's smallest unit.
CREATE TABLE IF NOT EXISTS stock_level (
    sku varbinary(255) NOT NULL,
    location varbinary(64) NOT NULL,
    -- Units that lie there.
    on_hand bigint NOT NULL,
    -- Units that are claimed, the backordered ones included.
    reserved bigint NOT NULL,
    -- Units that are claimed and have not come in yet.
    backordered bigint NOT NULL,
    -- Units kept back from sale.
    safety_stock bigint NOT NULL,
    -- How many units may be promised beyond what lies there.
    backorder_limit bigint NOT NULL,
    -- At how many available units stock.low is raised.
    low_stock_at bigint NULL,
    -- Whether stock is counted here at all.
    tracked tinyint(1) NOT NULL,
    -- Whether the SKU is no longer sold from here.
    retired tinyint(1) NOT NULL,
    -- Counts the movements.
    version bigint NOT NULL,
    PRIMARY KEY (sku, location),
    -- The last guard: whatever a program does, nothing is oversold, and a level that changed meanwhile is not overwritten.
    CONSTRAINT stock_level_version CHECK (version > 0),
    CONSTRAINT stock_level_counts CHECK (on_hand >= 0 AND backordered >= 0 AND backordered <= reserved),
    CONSTRAINT stock_level_not_oversold CHECK (tracked = 0 OR reserved - backordered <= on_hand)
);

-- Claims on stock, each for one order or cart.
CREATE TABLE IF NOT EXISTS stock_reservation (
    id binary(16) NOT NULL PRIMARY KEY,
    order_id binary(16) NULL,
    customer_id binary(16) NULL,
    -- 1 held, 2 allocated, 3 fulfilled, 4 released, 5 expired.
    state smallint NOT NULL,
    version bigint NOT NULL,
    created_at bigint NOT NULL,
    -- When the hold ends, or ended.
    expires_at bigint NULL,
    -- JSON, one array for each level: SKU, location, quantity, fulfilled, released, place in the queue of backorders.
    claims longtext CHARACTER SET utf8mb4 NOT NULL,
    -- JSON: the kits among the SKUs, as they were made up then.
    kits longtext CHARACTER SET utf8mb4 NULL,
    INDEX stock_reservation_live (state, expires_at)
);

-- Claims that wait for stock to come in, first in, first out by level.
CREATE TABLE IF NOT EXISTS stock_backorder (
    sku varbinary(255) NOT NULL,
    location varbinary(64) NOT NULL,
    -- The level's version when it began to wait.
    position bigint NOT NULL,
    reservation binary(16) NOT NULL,
    order_id binary(16) NULL,
    quantity bigint NOT NULL,
    PRIMARY KEY (sku, location, position),
    CONSTRAINT stock_backorder_quantity CHECK (quantity > 0)
);

-- The ledger, append-only: what each command did to each level. A level is the sum of its movements.
CREATE TABLE IF NOT EXISTS stock_movement (
    sku varbinary(255) NOT NULL,
    location varbinary(64) NOT NULL,
    -- The level's version after it: 1, 2, 3 ... without a gap.
    version bigint NOT NULL,
    -- 1 received, 2 adjusted, 3 counted, 4 transferred out, 5 transferred in, 6 reserved, 7 released, 8 expired,
    -- 9 fulfilled, 10 returned, 11 filled, 12 configured, 13 retired, 14 reconciled.
    kind smallint NOT NULL,
    -- By how much each of them changed.
    on_hand bigint NOT NULL,
    reserved bigint NOT NULL,
    backordered bigint NOT NULL,
    command binary(16) NOT NULL,
    reservation binary(16) NULL,
    -- Who: customer:ID, staff:NAME or service:NAME; NULL is StockPulse itself.
    actor longtext CHARACTER SET utf8mb4 NULL,
    -- What it followed from: event:ID or command:ID; NULL is a request.
    cause longtext CHARACTER SET utf8mb4 NULL,
    reason longtext CHARACTER SET utf8mb4 NULL,
    moved_at bigint NOT NULL,
    PRIMARY KEY (sku, location, version)
);

-- What was decided about each command, so that the same id gets the same answer. Rows older than any retry may be pruned.
CREATE TABLE IF NOT EXISTS stock_command (
    id binary(16) NOT NULL PRIMARY KEY,
    -- Of what was asked: tells a retry from another request under the same id.
    fingerprint bigint NOT NULL,
    -- In the core's binary form.
    outcome longblob NOT NULL,
    decided_at bigint NOT NULL
);

-- Events that were decided and wait to be published, as many to a row as a batch decided. The relay deletes them.
CREATE TABLE IF NOT EXISTS stock_outbox (
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
CREATE TABLE IF NOT EXISTS stock_outbox_aside (
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
CREATE TABLE IF NOT EXISTS stock_outbox_lease (
    shard bigint NOT NULL PRIMARY KEY,
    worker varbinary(255) NOT NULL,
    epoch bigint NOT NULL,
    ends_at bigint NOT NULL
);

INSERT IGNORE INTO stock_outbox_lease (shard, worker, epoch, ends_at) VALUES
    (0, '', 0, 0), (1, '', 0, 0), (2, '', 0, 0), (3, '', 0, 0), (4, '', 0, 0), (5, '', 0, 0), (6, '', 0, 0), (7, '', 0, 0), (8, '', 0, 0), (9, '', 0, 0), (10, '', 0, 0), (11, '', 0, 0), (12, '', 0, 0), (13, '', 0, 0), (14, '', 0, 0), (15, '', 0, 0);
