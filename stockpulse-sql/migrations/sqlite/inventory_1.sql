-- Stock, by SKU and location. Times are microseconds since 1970, quantities are in the product's smallest unit.
CREATE TABLE stock_level (
    sku text NOT NULL,
    location text NOT NULL,
    -- Units that lie there.
    on_hand integer NOT NULL,
    -- Units that are claimed, the backordered ones included.
    reserved integer NOT NULL,
    -- Units that are claimed and have not come in yet.
    backordered integer NOT NULL,
    -- Units kept back from sale.
    safety_stock integer NOT NULL,
    -- How many units may be promised beyond what lies there.
    backorder_limit integer NOT NULL,
    -- At how many available units stock.low is raised.
    low_stock_at integer NULL,
    -- Whether stock is counted here at all.
    tracked integer NOT NULL,
    -- Whether the SKU is no longer sold from here.
    retired integer NOT NULL,
    -- Counts the movements.
    version integer NOT NULL,
    PRIMARY KEY (sku, location),
    -- The last guard: whatever a program does, nothing is oversold, and a level that changed meanwhile is not overwritten.
    CONSTRAINT stock_level_version CHECK (version > 0),
    CONSTRAINT stock_level_counts CHECK (on_hand >= 0 AND backordered >= 0 AND backordered <= reserved),
    CONSTRAINT stock_level_not_oversold CHECK (tracked = 0 OR reserved - backordered <= on_hand)
) WITHOUT ROWID;

-- Claims on stock, each for one order or cart.
CREATE TABLE stock_reservation (
    id blob NOT NULL PRIMARY KEY,
    order_id blob NULL,
    customer_id blob NULL,
    -- 1 held, 2 allocated, 3 fulfilled, 4 released, 5 expired.
    state integer NOT NULL,
    version integer NOT NULL,
    created_at integer NOT NULL,
    -- When the hold ends, or ended.
    expires_at integer NULL,
    -- JSON, one array for each level: SKU, location, quantity, fulfilled, released, place in the queue of backorders.
    claims text NOT NULL,
    -- JSON: the kits among the SKUs, as they were made up then.
    kits text NULL
) WITHOUT ROWID;

-- Holds by the time they end. SQLite takes a partial index only for a query that says the same: not for one that follows.
CREATE INDEX stock_reservation_held ON stock_reservation (expires_at, id) WHERE state = 1;

-- Claims that wait for stock to come in, first in, first out by level.
CREATE TABLE stock_backorder (
    sku text NOT NULL,
    location text NOT NULL,
    -- The level's version when it began to wait.
    position integer NOT NULL,
    reservation blob NOT NULL,
    order_id blob NULL,
    quantity integer NOT NULL,
    PRIMARY KEY (sku, location, position),
    CONSTRAINT stock_backorder_quantity CHECK (quantity > 0)
) WITHOUT ROWID;

-- The ledger, append-only: what each command did to each level. A level is the sum of its movements.
CREATE TABLE stock_movement (
    sku text NOT NULL,
    location text NOT NULL,
    -- The level's version after it: 1, 2, 3 ... without a gap.
    version integer NOT NULL,
    -- 1 received, 2 adjusted, 3 counted, 4 transferred out, 5 transferred in, 6 reserved, 7 released, 8 expired,
    -- 9 fulfilled, 10 returned, 11 filled, 12 configured, 13 retired, 14 reconciled.
    kind integer NOT NULL,
    -- By how much each of them changed.
    on_hand integer NOT NULL,
    reserved integer NOT NULL,
    backordered integer NOT NULL,
    command blob NOT NULL,
    reservation blob NULL,
    -- Who: customer:ID, staff:NAME or service:NAME; NULL is StockPulse itself.
    actor text NULL,
    -- What it followed from: event:ID or command:ID; NULL is a request.
    cause text NULL,
    reason text NULL,
    moved_at integer NOT NULL,
    PRIMARY KEY (sku, location, version)
) WITHOUT ROWID;

-- What was decided about each command, so that the same id gets the same answer. Rows older than any retry may be pruned.
CREATE TABLE stock_command (
    id blob NOT NULL PRIMARY KEY,
    -- Of what was asked: tells a retry from another request under the same id.
    fingerprint integer NOT NULL,
    -- In the core's binary form.
    outcome blob NOT NULL,
    decided_at integer NOT NULL
) WITHOUT ROWID;

-- Events that were decided and wait to be published, as many to a row as a batch decided. The relay deletes them.
CREATE TABLE stock_outbox (
    id integer PRIMARY KEY AUTOINCREMENT,
    -- When the first of them happened, in microseconds since 1970.
    first_at integer NOT NULL,
    -- The shards of those that wait, a bit each.
    shards integer NOT NULL,
    -- How many of them wait.
    pending integer NOT NULL,
    -- The shard of each, a byte each.
    event_shards blob NOT NULL,
    -- Which of them are dealt with, a bit each.
    settled blob NULL,
    -- The events, in the core's binary form.
    body blob NOT NULL
);

-- Events that could not be published: to be tried again at a time, or, without one, set aside for good.
CREATE TABLE stock_outbox_aside (
    id integer NOT NULL PRIMARY KEY,
    shard integer NOT NULL,
    -- What the event is about; its later events wait behind it.
    event_key text NOT NULL,
    attempts integer NOT NULL,
    retry_at integer NULL,
    reason text NULL,
    happened_at integer NOT NULL,
    body blob NOT NULL
);

-- Which relay publishes which shard, until when.
CREATE TABLE stock_outbox_lease (
    shard integer NOT NULL PRIMARY KEY,
    worker text NOT NULL,
    epoch integer NOT NULL,
    ends_at integer NOT NULL
);

INSERT INTO stock_outbox_lease (shard, worker, epoch, ends_at) VALUES
    (0, '', 0, 0), (1, '', 0, 0), (2, '', 0, 0), (3, '', 0, 0), (4, '', 0, 0), (5, '', 0, 0), (6, '', 0, 0), (7, '', 0, 0), (8, '', 0, 0), (9, '', 0, 0), (10, '', 0, 0), (11, '', 0, 0), (12, '', 0, 0), (13, '', 0, 0), (14, '', 0, 0), (15, '', 0, 0);
