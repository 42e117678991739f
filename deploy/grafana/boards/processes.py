"""A row about what processes could not do or say."""

from deploy.grafana.board import WINDOW, Panel, Query, Row, rate_by

COULD_NOT = Row(
    "What the processes could not do or say",
    [
        Panel(
            "Retries a second",
            "ops",
            "After transient errors, by the place in the code.",
            "ProjectionRetries",
            [rate_by("policy", "retries_total")],
        ),
        Panel(
            "Age of background measurements",
            "s",
            "While this grows, the metrics of the measurement are old.",
            "MeasurementOld",
            [
                Query(
                    "time() - max by (job, measurement) (measured_timestamp_seconds)",
                    "{{job}} {{measurement}}",
                )
            ],
        ),
        Panel(
            "Background measurements that fail, a minute",
            "short",
            "0 is usual. The log line says why.",
            "MeasurementOld",
            [
                Query(
                    f"sum by (job, measurement) (rate(measurement_failures_total[{WINDOW}])) * 60",
                    "{{job}} {{measurement}}",
                )
            ],
        ),
        Panel(
            "Age of repeated work",
            "s",
            "Since it last succeeded. While this grows, the work is neglected.",
            "UpkeepFails",
            [
                Query(
                    "time() - min by (job, upkeep) (upkeep_last_success_timestamp_seconds)",
                    "{{job}} {{upkeep}}",
                )
            ],
        ),
        Panel(
            "Repeated work that fails, a minute",
            "short",
            "0 is usual. The log line says why.",
            "UpkeepFails",
            [
                Query(
                    f"sum by (job, upkeep) (rate(upkeep_failures_total[{WINDOW}])) * 60", "{{job}} {{upkeep}}"
                )
            ],
        ),
        Panel(
            "Spans of traces a second",
            "ops",
            "`exported`: the receiver has them. `failed` and `dropped` are missing in traces.",
            "SpansLost",
            [Query(f"sum by (job, result) (rate(trace_spans_total[{WINDOW}]))", "{{job}} {{result}}")],
        ),
        Panel(
            "Log lines a minute",
            "short",
            "`error` and `critical` should be 0; `info` follows the load, up to a limit.",
            "ErrorsLogged",
            [
                Query(f"sum by (job, level) (rate(log_lines_total[{WINDOW}])) * 60", "{{job}} {{level}}"),
            ],
        ),
        Panel(
            "Log lines not written, a second",
            "ops",
            "`lost`: could not be written. `repeated` and `requests`: left out, above their limits.",
            "LogLinesLost",
            [
                Query(f"sum by (job) (rate(log_lines_lost_total[{WINDOW}]))", "{{job}} lost"),
                Query(f"sum by (job) (rate(log_lines_suppressed_total[{WINDOW}]))", "{{job}} repeated"),
                Query(
                    f"sum by (job) (rate(log_access_lines_left_out_total[{WINDOW}]))",
                    "{{job}} requests",
                ),
            ],
        ),
        Panel(
            "Time until certificates expire",
            "s",
            "By file; empty without CERTIFICATE_FILES.",
            "CertificateExpires",
            [
                Query(
                    "min by (job, file) (certificate_expiry_timestamp_seconds) - time()",
                    "{{job}} {{file}}",
                )
            ],
        ),
    ],
)
