CREATE TABLE author (id integer NOT NULL PRIMARY KEY AUTOINCREMENT, name varchar NOT NULL UNIQUE, born date_text, rank smallint NOT NULL DEFAULT 7);
CREATE TABLE category (id integer PRIMARY KEY, parent_id integer REFERENCES category(id) ON DELETE CASCADE, title varchar(40) NOT NULL);
CREATE TABLE book (
    id integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    author_id integer NOT NULL REFERENCES author(id) ON DELETE CASCADE ON UPDATE SET NULL,
    editor_id integer REFERENCES author(id),
    title varchar(200) NOT NULL DEFAULT 'it''s new; -- "really"',
    about text, price real(10, 2), weight double, size float, doc json_text, docb jsonb_text, code uuid_text,
    added timestamp_with_timezone_text NOT NULL DEFAULT CURRENT_TIMESTAMP, at datetime_text, clock time_text,
    lent boolean NOT NULL DEFAULT FALSE, cover blob, amount bigint, odd "some int type", more "characters"
);
CREATE INDEX by_title ON book (title);
CREATE INDEX by_two ON book (title, lent);
CREATE INDEX partly ON book (code) WHERE lent;
CREATE TABLE "order" (one integer NOT NULL, "select" varchar NOT NULL, type integer, "größe (cm)" integer, a_1 integer, a1 integer, CONSTRAINT pk PRIMARY KEY (one, "select"));
CREATE UNIQUE INDEX pair ON "order" (type, "größe (cm)");
