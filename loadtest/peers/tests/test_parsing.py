"""What the tools print is read rightly."""

import unittest

from bench import load, measure, pace
from bench.load import Load, Result
from bench.process import Failed

WRK = """Running 2s test @ http://127.0.0.1:9001/
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.12ms  392.12us   8.17ms   93.36%
  113212 requests in 2.10s, 23.43MB read
  Non-2xx or 3xx responses: 113200
Requests/sec:  53910.47
Transfer/sec:     11.16MB
"""
H2LOAD = """starting benchmark...
Warm-up started for thread #0.
finished in 1.50s, 8672.00 req/s, 1.09MB/s
requests: 13008 total, 13072 started, 13008 done, 13000 succeeded, 8 failed, 0 errored, 0 timeout
status codes: 13000 2xx, 0 3xx, 8 4xx, 0 5xx
traffic: 1.09MB (1144764) total, 51.20KB (52428) headers (space savings 95.00%), 846.88KB (867200) data
"""


class Parsing(unittest.TestCase):
    def test_wrk(self):
        result = load.parse_wrk(WRK)
        self.assertEqual(result, Result(113212, 113200, 2.1))
        self.assertAlmostEqual(result.rate, 53910.5, 0)

    def test_wrk_without_refusals_and_with_errors(self):
        text = WRK.replace(
            "  Non-2xx or 3xx responses: 113200\n", "  Socket errors: connect 0, read 3, write 0, timeout 0\n"
        )
        result = load.parse_wrk(text)
        self.assertEqual(result.refused, 0)
        self.assertIn("read 3", result.errors)

    def test_h2load(self):
        self.assertEqual(load.parse_h2load(H2LOAD), Result(13008, 8, 1.5))
        errors = H2LOAD.replace("0 errored", "4 errored").replace("1.50s", "150.00ms")
        self.assertEqual(load.parse_h2load(errors), Result(13008, 8, 0.15, "4 errored, 0 timed out"))

    def test_h2load_counts_answers_that_came_too_late_as_no_refusals(self):
        late = H2LOAD.replace("13000 2xx", "13016 2xx")
        self.assertNotEqual(late, H2LOAD)
        self.assertEqual(load.parse_h2load(late).refused, 0)

    def test_perf_leaves_out_what_is_not_counted(self):
        text = "123456,,instructions:u,1000,100.00,,\n<not supported>,,instructions:k,0,100.00,,\n\n"
        self.assertEqual(measure.parse_perf(text), {"instructions:u": 123456})

    def test_callgrind(self):
        self.assertEqual(measure.parse_callgrind("version: 1\nsummary: 987\n\ntotals: 987\n"), 987)


class Answers(unittest.TestCase):
    def test_the_wrong_answers_are_a_failure(self):
        refused = Load(refused=(0.99, 1))
        load.check(refused, Result(100000, 99000, 1))
        load.check(Load(), Result(100000, 0, 1))
        for what, result in [
            (refused, Result(100000, 50000, 1)),
            (Load(), Result(100000, 1, 1)),
            (Load(), Result(0, 0, 1)),
            (Load(), Result(100000, 0, 1, "read 3")),
        ]:
            with self.subTest(result=result), self.assertRaises(Failed):
                load.check(what, result)

    def test_an_answer_is_complete_when_its_body_is(self):
        for answer, whole in [
            (b"HTTP/1.1 200 OK\r\nContent-Le", False),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", False),
            (b"HTTP/1.1 200 OK\r\ncontent-length:3\r\n\r\nabc", True),
            (b"HTTP/1.1 204 No Content\r\n\r\n", True),
            (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", False),
            (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", True),
        ]:
            self.assertEqual(pace.complete(answer), whole, answer)


if __name__ == "__main__":
    unittest.main()
