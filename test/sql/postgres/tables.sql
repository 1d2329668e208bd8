CREATE TABLE emp (id BIGINT PRIMARY KEY, name TEXT NOT NULL, dept INTEGER, salary NUMERIC(10,2), score DOUBLE PRECISION, hired DATE, active BOOLEAN, note TEXT);
INSERT INTO emp VALUES
 (1, 'Ada', 10, 5200.50, 1.5, '2019-03-01', TRUE, 'a_b'),
 (2, 'Bob', 10, 4100.00, NULL, '2020-07-15', TRUE, NULL),
 (3, 'Cid', 20, 6100.25, -2.25, '2018-01-31', FALSE, ''),
 (4, 'Dee', 20, NULL, 0, '2021-12-24', NULL, '100%'),
 (5, 'Eve', NULL, 3900.75, 'NaN', NULL, TRUE, 'Ünï'),
 (6, 'Fay', 30, 5200.50, 1e10, '2019-03-01', FALSE, 'it''s'),
 (7, 'Gus', 30, 7000.00, 'Infinity', '2017-06-06', TRUE, 'a%b'),
 (8, 'Hal', 30, 100.10, -0.5, '2022-02-02', NULL, 'zz');
CREATE TABLE dep (id INTEGER PRIMARY KEY, title TEXT, boss BIGINT);
INSERT INTO dep VALUES (10, 'ops', 1), (20, 'dev', 3), (40, 'hr', NULL);
CREATE TABLE sale (emp BIGINT, day DATE, n INTEGER, PRIMARY KEY (emp, day));
INSERT INTO sale VALUES (1,'2024-01-01',5),(1,'2024-01-02',7),(2,'2024-01-01',1),(3,'2024-01-03',NULL),(7,'2024-01-01',5),(7,'2024-02-01',9),(9,'2024-01-01',2);
