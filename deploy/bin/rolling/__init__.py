"""Moves traffic between the two colours of weir, and back. Used by the commands rollout and rollback beside it.

target    what is deployed where, from Terraform's output
balancer  the weights between blue and green
fleet     the tasks behind a colour
figures   sums of CloudWatch's metrics
lock      one release at a time
gates     what tells that a release is bad
journey   the way of a release: start it, try it, shift it, watch it, turn it back
show      the progress display
"""
