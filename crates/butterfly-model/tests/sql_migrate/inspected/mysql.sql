CREATE TABLE author (id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY, name varchar(255) NOT NULL UNIQUE, born date, `rank` smallint NOT NULL DEFAULT 7);
CREATE TABLE category (id int NOT NULL AUTO_INCREMENT PRIMARY KEY, parent_id int, title varchar(40) NOT NULL, CONSTRAINT up FOREIGN KEY (parent_id) REFERENCES category(id) ON DELETE CASCADE);
CREATE TABLE book (
    id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY,
    author_id bigint NOT NULL, editor_id bigint,
    title varchar(200) NOT NULL DEFAULT 'it''s new; -- "really" \\',
    about text, story longtext, price decimal(10, 2), weight double, size float, doc json, code binary(16),
    added timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP, at datetime, clock time,
    lent bool NOT NULL DEFAULT FALSE, cover blob, picture longblob, sign varbinary(40), amount bigint unsigned, small tinyint, tiny smallint unsigned,
    state enum('new', 'old') NOT NULL DEFAULT 'new', made year,
    CONSTRAINT wrote FOREIGN KEY (author_id) REFERENCES author(id) ON DELETE CASCADE,
    CONSTRAINT edited FOREIGN KEY (editor_id) REFERENCES author(id)
);
CREATE INDEX by_title ON book (title);
CREATE INDEX by_two ON book (title, lent);
CREATE TABLE `order` (one int NOT NULL, `select` varchar(100) NOT NULL, type int, `größe (cm)` int, a_1 int, a1 int, PRIMARY KEY (one, `select`));
CREATE UNIQUE INDEX pair ON `order` (type, `größe (cm)`);
