"""The processes as programs: processor, memory, event loop; and the pods that they run in."""

from deploy.grafana.board import WINDOW, Board, Panel, Query, Row

_OURS = '{job=~"command-api|query-api|projector|relay"}'
_CONTAINERS = 'container=~"command-api|query-api|projector|relay"'

PODS = Board(
    "pods",
    "Catalogue: processes and pods",
    "**Does a process have enough?** Processor time, memory, files; then what blocks an event loop; then "
    "what Kubernetes says. The last row "
    "needs cAdvisor and kube-state-metrics.",
    [
        Row(
            "Processes",
            [
                Panel(
                    "Processor time",
                    "percentunit",
                    "100 % is one core, and a process cannot use more: start more of them.",
                    "EventLoopBlocked",
                    [Query(f"rate(process_cpu_seconds_total{_OURS}[{WINDOW}])", "{{job}} {{instance}}")],
                ),
                Panel(
                    "Memory",
                    "bytes",
                    "Should be flat over days.",
                    "PodRestarts",
                    [Query(f"process_resident_memory_bytes{_OURS}", "{{job}} {{instance}}")],
                ),
                Panel(
                    "Open files and connections",
                    "short",
                    "Should be flat over days.",
                    "NoScrape",
                    [Query(f"process_open_fds{_OURS}", "{{job}} {{instance}}")],
                ),
                Panel(
                    "Longest delay of the event loop",
                    "s",
                    "For so long the process answered nobody.",
                    "EventLoopBlocked",
                    [Query("event_loop_lag_seconds", "{{job}} {{instance}}")],
                ),
                Panel(
                    "Share of time in garbage collection",
                    "percentunit",
                    "Above a few per cent the process holds too much.",
                    "EventLoopBlocked",
                    [
                        Query(
                            f"sum by (job, instance) (rate(garbage_collection_seconds_sum[{WINDOW}]))",
                            "{{job}} {{instance}}",
                        )
                    ],
                ),
                Panel(
                    "Ready",
                    "short",
                    "1: it takes work. 0: it starts and waits for a server or a migration, or it stops.",
                    "ReadinessCheckFails",
                    [Query("process_ready", "{{job}} {{instance}}")],
                ),
                Panel(
                    "Failing checks",
                    "short",
                    "A process that has been ready stays ready, and cannot do what needs this server.",
                    "ReadinessCheckFails",
                    [Query("readiness_check_ok == 0", "{{job}} {{instance}} {{check}}")],
                ),
                Panel(
                    "Builds that run",
                    "short",
                    "Two versions of a process: a deploy is under way, or stuck.",
                    "ProcessMissing",
                    [
                        Query(
                            "count by (process, version, revision) (build_info)",
                            "{{process}} {{version}} {{revision}}",
                        )
                    ],
                ),
            ],
        ),
        Row(
            "Pods (cAdvisor, kube-state-metrics)",
            [
                Panel(
                    "Processor time",
                    "percentunit",
                    "By pod.",
                    "PodThrottled",
                    [
                        Query(
                            f"sum by (pod) "
                            f"(rate(container_cpu_usage_seconds_total{{{_CONTAINERS}}}[{WINDOW}]))",
                            "{{pod}}",
                        )
                    ],
                ),
                Panel(
                    "Memory",
                    "bytes",
                    "At its limit the container is killed.",
                    "PodRestarts",
                    [Query(f"sum by (pod) (container_memory_working_set_bytes{{{_CONTAINERS}}})", "{{pod}}")],
                ),
                Panel(
                    "Restarts",
                    "short",
                    "In 30 minutes.",
                    "PodRestarts",
                    [
                        Query(
                            f"increase(kube_pod_container_status_restarts_total{{{_CONTAINERS}}}[30m])",
                            "{{pod}}",
                        )
                    ],
                ),
                Panel(
                    "Share of periods in which a pod was held back",
                    "percentunit",
                    "By its CPU limit.",
                    "PodThrottled",
                    [
                        Query(
                            f"rate(container_cpu_cfs_throttled_periods_total{{{_CONTAINERS}}}[{WINDOW}])"
                            f" / rate(container_cpu_cfs_periods_total[{WINDOW}])",
                            "{{pod}}",
                        )
                    ],
                ),
            ],
        ),
    ],
)
