-- id: the 16 bytes of a UUIDv7, so that the primary key is also the order of creation.
-- price_minor: hundredths. Times: microseconds since the Unix epoch, UTC.
CREATE TABLE items (
    id          BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    name        TEXT    NOT NULL,
    description TEXT    NOT NULL,
    price_minor INTEGER NOT NULL CHECK (price_minor >= 0),
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
