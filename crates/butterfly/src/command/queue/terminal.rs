//! The terminal while a live table has it: the other screen, no cursor, single keys; given back as it was.

use std::io::{self, IsTerminal, Read, Write};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};
use tokio::sync::mpsc;

/// The other screen, without a cursor and without wrapped lines.
const ENTER: &str = "\x1b[?1049h\x1b[?25l\x1b[?7l";
const LEAVE: &str = "\x1b[?7h\x1b[?25h\x1b[?1049l";

/// A terminal that is ours until this is dropped.
pub(super) struct Terminal {
    /// What the keyboard's settings were, where there is a keyboard.
    before: Option<Termios>,
    keys: mpsc::UnboundedReceiver<u8>,
}

impl Terminal {
    /// Takes the terminal, if the output is one.
    pub(super) fn take() -> Option<Self> {
        if !io::stdout().is_terminal() {
            return None;
        }
        let before = tcgetattr(io::stdin()).ok();
        if let Some(mut modes) = before.clone() {
            // Keys come at once and are not shown; Ctrl-C stays a signal.
            modes.local_modes -= LocalModes::ICANON | LocalModes::ECHO;
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, &modes);
        }
        let (tell, keys) = mpsc::unbounded_channel();
        if before.is_some() {
            // Reading cannot be cancelled: the thread ends with the process.
            std::thread::spawn(move || {
                let mut key = [0];
                while io::stdin().read_exact(&mut key).is_ok() && tell.send(key[0]).is_ok() {}
            });
        }
        print(ENTER);
        Some(Self { before, keys })
    }

    /// Lines and columns.
    pub(super) fn size(&self) -> (usize, usize) {
        let size = tcgetwinsize(io::stdout()).ok().filter(|size| size.ws_row > 0 && size.ws_col > 0);
        size.map_or((24, 80), |size| (size.ws_row.into(), size.ws_col.into()))
    }

    /// Shows a frame in place of the one before: only its lines are written, so that nothing flickers.
    pub(super) fn show(&self, frame: &str) {
        let (rows, _) = self.size();
        let mut out = String::from("\x1b[H");
        for (index, line) in frame.lines().take(rows).enumerate() {
            out.push_str(if index == 0 { "" } else { "\n" });
            out.push_str(line);
            out.push_str("\x1b[K");
        }
        out.push_str("\x1b[J");
        print(&out);
    }

    /// Completes when q is pressed.
    pub(super) async fn quit(&mut self) {
        while let Some(key) = self.keys.recv().await {
            if matches!(key, b'q' | b'Q') {
                return;
            }
        }
        // No keyboard: signals end it.
        std::future::pending::<()>().await;
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        print(LEAVE);
        if let Some(before) = &self.before {
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, before);
        }
    }
}

/// A terminal that has gone away is told by a signal, not here.
fn print(text: &str) {
    let mut out = io::stdout();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
