//! The demo service's front page.

/// The password that `/login` takes.
pub(super) const PASSWORD: &str = "open-sesame";

pub(super) const INDEX: &str = r#"<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>weir demo service</title>
<style>
  body { font: 16px/1.6 system-ui, sans-serif; max-width: 42rem; margin: 3rem auto; padding: 0 1rem; color: #1d2b36 }
  code { background: #eef3f6; padding: .1em .35em; border-radius: 4px }
  td { padding: .3rem 1.2rem .3rem 0; vertical-align: top }
</style>
<h1>weir demo service</h1>
<p>A small service behind weir. By default it has eight workers and bears 800 light requests a second; beyond that its
answers get slower, and then it answers 503.</p>
<table>
<tr><td><a href="/profile"><code>/profile</code></a><td>a light request
<tr><td><a href="/search?q=weir"><code>/search?q=weir</code></a><td>costs more
<tr><td><code>POST /login</code><td>costs most; <code>password=open-sesame</code> is right, all else a 401
<tr><td><code>POST /upload</code><td>counts the bytes of a body
<tr><td><a href="/download?size=1MiB"><code>/download?size=1MiB</code></a><td>so many bytes, at most 64MiB
<tr><td><a href="/slow?ms=500"><code>/slow?ms=500</code></a><td>an answer that takes its time
<tr><td><a href="/echo"><code>/echo</code></a><td>your request as it arrived here
<tr><td><code>/ws</code><td>an upgraded connection that echoes every byte
<tr><td><a href="/health"><code>/health</code></a><td>for health checks
<tr><td><a href="/stats"><code>/stats</code></a><td>requests served, queued and rejected so far
</table>
</html>
"#;
