"""One logger and one metrics sink for every function.

Log messages are constants; what varies stands in fields, and fields are ids, never names,
addresses or payloads.
"""

from aws_lambda_powertools import Logger, Metrics

logger = Logger()
metrics = Metrics()
