DROP INDEX decision_log_operator;

--bun:split

DROP INDEX decision_log_account;

--bun:split

DROP INDEX decision_log_failed;
