DROP INDEX decision_log_failed;
