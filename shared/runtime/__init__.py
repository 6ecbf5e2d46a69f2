"""Lambda glue: settings, bootstrap, HTTP, SQS, observability."""
