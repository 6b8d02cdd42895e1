BEGIN TRANSACTION;
CREATE TABLE accounts (
	account VARCHAR(64) NOT NULL, 
	settings TEXT NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	PRIMARY KEY (account)
);
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0001');
CREATE TABLE decisions (
	account VARCHAR(64) NOT NULL, 
	time BIGINT NOT NULL, 
	symbol VARCHAR(32) NOT NULL, 
	action VARCHAR(8) NOT NULL, 
	outcome VARCHAR(40) NOT NULL, 
	price VARCHAR(32) NOT NULL, 
	reason TEXT NOT NULL, 
	client_id VARCHAR(36) NOT NULL, 
	body TEXT NOT NULL, 
	PRIMARY KEY (account, time, symbol, action, outcome)
);
CREATE TABLE equity (
	account VARCHAR(64) NOT NULL, 
	time BIGINT NOT NULL, 
	equity TEXT NOT NULL, 
	benchmark TEXT NOT NULL, 
	drawdown_ppm INTEGER NOT NULL, 
	PRIMARY KEY (account, time)
);
CREATE TABLE facts (
	name VARCHAR(64) NOT NULL, 
	value TEXT NOT NULL, 
	PRIMARY KEY (name)
);
CREATE TABLE fills (
	account VARCHAR(64) NOT NULL, 
	symbol VARCHAR(32) NOT NULL, 
	trade_id BIGINT NOT NULL, 
	client_id VARCHAR(36) NOT NULL, 
	side VARCHAR(4) NOT NULL, 
	quantity TEXT NOT NULL, 
	price TEXT NOT NULL, 
	quote_quantity TEXT NOT NULL, 
	commission_base TEXT NOT NULL, 
	commission_quote TEXT NOT NULL, 
	time BIGINT NOT NULL, 
	reason TEXT NOT NULL, 
	PRIMARY KEY (account, symbol, trade_id)
);
CREATE TABLE journal (
	account VARCHAR(64) NOT NULL, 
	number BIGINT NOT NULL, 
	time BIGINT NOT NULL, 
	kind VARCHAR(16) NOT NULL, 
	text TEXT NOT NULL, 
	tone VARCHAR(8) NOT NULL, 
	PRIMARY KEY (account, number)
);
CREATE TABLE orders (
	account VARCHAR(64) NOT NULL, 
	client_id VARCHAR(36) NOT NULL, 
	number BIGINT NOT NULL, 
	time BIGINT NOT NULL, 
	symbol VARCHAR(32) NOT NULL, 
	side VARCHAR(4) NOT NULL, 
	type VARCHAR(16) NOT NULL, 
	quantity TEXT NOT NULL, 
	filled TEXT NOT NULL, 
	limit_price TEXT NOT NULL, 
	stop_price TEXT NOT NULL, 
	status VARCHAR(20) NOT NULL, 
	reason TEXT NOT NULL, 
	source TEXT NOT NULL, 
	PRIMARY KEY (account, client_id)
);
CREATE TABLE snapshots (
	account VARCHAR(64) NOT NULL, 
	sequence BIGINT NOT NULL, 
	body TEXT NOT NULL, 
	PRIMARY KEY (account)
);
CREATE TABLE trades (
	account VARCHAR(64) NOT NULL, 
	number INTEGER NOT NULL, 
	symbol VARCHAR(32) NOT NULL, 
	side VARCHAR(8) NOT NULL, 
	quantity TEXT NOT NULL, 
	entry_time BIGINT NOT NULL, 
	entry_price TEXT NOT NULL, 
	exit_time BIGINT NOT NULL, 
	exit_price TEXT NOT NULL, 
	fees TEXT NOT NULL, 
	pnl TEXT NOT NULL, 
	opened_by TEXT NOT NULL, 
	closed_because TEXT NOT NULL, 
	PRIMARY KEY (account, number)
);
COMMIT;
