-- id: a UUIDv7, so that the primary key is also the order of creation.
-- price_minor: hundredths. Times: microseconds since the Unix epoch, UTC.
CREATE TABLE items (
    id          UUID   NOT NULL PRIMARY KEY,
    name        TEXT   NOT NULL,
    description TEXT   NOT NULL,
    price_minor BIGINT NOT NULL CHECK (price_minor >= 0),
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL
);
