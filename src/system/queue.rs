//! A thread's work that comes in crowds.

use std::sync::mpsc::Receiver;
use std::time::Duration;

/// Does something with all that comes, until nobody can give any more. After each pause for as long as more
/// comes: to wake a thread for each of many costs more than the pauses.
pub(super) fn work_off<T>(queue: &Receiver<T>, pause: Duration, act: impl Fn(T)) {
    while let Ok(first) = queue.recv() {
        act(first);
        loop {
            std::thread::sleep(pause);
            if queue.try_iter().map(&act).count() == 0 {
                break;
            }
        }
    }
}
