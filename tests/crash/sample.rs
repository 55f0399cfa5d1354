//! Which of the moments are tried: all of them, or as many as there is time for, by chance.
//!
//! `LOGROTATE_RS_CRASH` is `full`, or the seed, a number or any other word; otherwise the seed is always
//! the same. `LOGROTATE_RS_CRASH_SECONDS` is the time for each test (two seconds if not set).

use std::time::{Duration, Instant};

/// The choice of one test.
pub struct Sample {
    /// The seed, and the state of the generator; none if all is tried.
    seed: Option<(String, u64)>,
    end: Instant,
    tried: usize,
}

impl Sample {
    /// The choice of a test, which has a number of its own, so that not all choose the same.
    pub fn of(test: u64) -> Self {
        let word = std::env::var("LOGROTATE_RS_CRASH").unwrap_or_else(|_| "0".into());
        let seconds = std::env::var("LOGROTATE_RS_CRASH_SECONDS").unwrap_or_else(|_| "2".into());
        let seconds = seconds.parse().expect("seconds are a number");
        let seed = (word != "full").then(|| {
            // FNV-1a: any word will do.
            let bytes = word.bytes().chain(test.to_le_bytes());
            let state = bytes.fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
            });
            (word, state)
        });
        Self { seed, end: Instant::now() + Duration::from_secs(seconds), tried: 0 }
    }

    /// Whether everything is tried.
    pub fn is_full(&self) -> bool {
        self.seed.is_none()
    }

    /// A number below `end`.
    pub fn number(&mut self, end: usize) -> usize {
        let Some((_, state)) = &mut self.seed else { return 0 };
        // Knuth's generator; its upper bits are good enough to choose by.
        *state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((*state >> 33) % end as u64).expect("it is small")
    }

    /// Counts a moment that was tried.
    pub fn count(&mut self) {
        self.tried += 1;
    }

    /// Whether there is time for another moment. There is for the first one.
    pub fn goes_on(&self) -> bool {
        self.tried == 0 || Instant::now() < self.end
    }

    /// Says how much was tried, and fails if nothing was.
    pub fn report(&self, what: &str) {
        let Self { seed, tried, .. } = self;
        assert!(*tried > 0, "{what}: no moment was tried");
        match seed {
            Some((word, _)) => println!("{what}: {tried} moments, LOGROTATE_RS_CRASH={word}"),
            None => println!("{what}: all of {tried} moments"),
        }
    }
}
