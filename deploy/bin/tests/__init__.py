"""Tests of rollout and rollback, on moto: python3 -m unittest discover -s deploy/bin/tests -t deploy/bin"""
