//! The screen that stays: a thread asks, this one shows what came and takes keys.

use super::screen::{Order, Screen};
use super::{Seen, Target, wants_colour};
use crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use crossterm::{cursor, queue, terminal};
use std::io::{Stdout, Write, stdout};
use std::process::ExitCode;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

/// How soon a key or an answer shows.
const LOOK: Duration = Duration::from_millis(100);

/// Where a terminal does not know its size.
const UNKNOWN: (u16, u16) = (80, 24);

/// Shows what the thread finds until `q`.
pub(super) fn run(target: &Target, interval: Duration, first: Seen) -> anyhow::Result<ExitCode> {
    let answers = ask(target.clone(), interval);
    let mut screen = Screen::new(&target.admin);
    screen.see(first);
    let mut terminal = Terminal::take()?;
    let colour = wants_colour();
    loop {
        let (width, height) = match terminal::size()? {
            (0, _) | (_, 0) => UNKNOWN,
            size => size,
        };
        terminal.show(&screen.render((width.into(), height.into()), colour), height.into())?;
        if event::poll(LOOK)? {
            match event::read()? {
                Event::Key(key) if key.kind != KeyEventKind::Release && is_end(key) => return Ok(ExitCode::SUCCESS),
                Event::Key(key) if key.kind != KeyEventKind::Release => press(&mut screen, key.code),
                _ => {}
            }
        }
        while let Ok(answer) = answers.try_recv() {
            match answer {
                Ok(seen) => screen.see(seen),
                Err(why) => screen.miss(&format!("{why:#}")),
            }
        }
    }
}

/// Asks again and again, for as long as anybody listens.
fn ask(target: Target, interval: Duration) -> Receiver<anyhow::Result<Seen>> {
    let (send, answers) = mpsc::sync_channel(1);
    std::thread::spawn(move || {
        loop {
            std::thread::park_timeout(interval);
            if send.send(Seen::ask(&target)).is_err() {
                return;
            }
        }
    });
    answers
}

fn is_end(key: KeyEvent) -> bool {
    let control_c = key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL);
    control_c || matches!(key.code, KeyCode::Char('q') | KeyCode::Esc)
}

fn press(screen: &mut Screen, key: KeyCode) {
    match key {
        KeyCode::Char('o') | KeyCode::Tab => screen.order = screen.order.next(),
        KeyCode::Char('r') => screen.order = Order::Requests,
        KeyCode::Char('f') => screen.order = Order::Refused,
        KeyCode::Char('e') => screen.order = Order::Errors,
        KeyCode::Char('b') => screen.order = Order::Bytes,
        KeyCode::Char('p') => screen.paused = !screen.paused,
        _ => {}
    }
}

/// The terminal, taken over until dropped.
struct Terminal {
    out: Stdout,
    shown: (String, usize),
}

impl Terminal {
    fn take() -> std::io::Result<Self> {
        terminal::enable_raw_mode()?;
        let mut taken = Self { out: stdout(), shown: (String::new(), 0) };
        queue!(taken.out, terminal::EnterAlternateScreen, terminal::DisableLineWrap, cursor::Hide)?;
        Ok(taken)
    }

    /// Writes the screen over the last one, where it differs.
    fn show(&mut self, text: &str, height: usize) -> std::io::Result<()> {
        if self.shown.0 == text && self.shown.1 == height {
            return Ok(());
        }
        queue!(self.out, terminal::BeginSynchronizedUpdate)?;
        for (row, line) in text.lines().take(height).enumerate() {
            queue!(self.out, cursor::MoveTo(0, row as u16))?;
            self.out.write_all(line.as_bytes())?;
            queue!(self.out, terminal::Clear(terminal::ClearType::UntilNewLine))?;
        }
        if text.lines().count() < height {
            queue!(self.out, cursor::MoveToNextLine(1), terminal::Clear(terminal::ClearType::FromCursorDown))?;
        }
        queue!(self.out, terminal::EndSynchronizedUpdate)?;
        self.out.flush()?;
        self.shown = (text.to_owned(), height);
        Ok(())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Nothing is left to do about a terminal that has gone.
        let _ = queue!(self.out, cursor::Show, terminal::EnableLineWrap, terminal::LeaveAlternateScreen);
        let _ = self.out.flush();
        let _ = terminal::disable_raw_mode();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_choose_the_order_and_the_end() {
        let mut screen = Screen::new("http://127.0.0.1:9901");
        for (key, order) in [('b', Order::Bytes), ('o', Order::Requests), ('o', Order::Refused), ('e', Order::Errors)] {
            press(&mut screen, KeyCode::Char(key));
            assert_eq!(screen.order, order);
        }
        press(&mut screen, KeyCode::Char('p'));
        assert!(screen.paused);
        let key = |code, modifiers| is_end(KeyEvent::new(code, modifiers));
        assert!(key(KeyCode::Char('q'), KeyModifiers::NONE) && key(KeyCode::Char('c'), KeyModifiers::CONTROL));
        assert!(!key(KeyCode::Char('c'), KeyModifiers::NONE));
    }
}
