"""An emulated AWS on loopback before real weir processes, and load on it.

process    programs that are started, waited for and ended
cloud      the APIs: moto's, and ministack's CloudWatch, to which weir's own SDK can speak
balancer   the load balancer's data plane: HAProxy, steered by the weights and targets that the API holds
tasks      ECS: runs as many weir processes as each service wants
traffic    clients, which count every request that failed
scenes     releases, good and bad
report     docs/reports/rollout-drill.md
"""
