//! The engine in memory passes the suite: every case is a test here.

use butterfly_queue::conformance::memory::Memory;

butterfly_queue::conformance!(Memory::default());
