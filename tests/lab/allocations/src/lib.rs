// SPDX-License-Identifier: Apache-2.0
//! Preloaded into a program (`LD_PRELOAD`), it writes a line for every block of memory asked for: how many milliseconds
//! after the start, how many bytes, and the return addresses, the innermost first, for `addr2line`.
//!
//! `ALLOCATIONS_TO` names the file and `ALLOCATIONS_FROM` the second from which on lines are written. Read malloc(3) and
//! backtrace(3) of glibc before editing: nothing here may allocate, but for the first `backtrace`, which loads libgcc.

use std::ffi::{c_char, c_int, c_long, c_void};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicIsize, AtomicU64, Ordering::Relaxed};

unsafe extern "C" {
    fn __libc_malloc(size: usize) -> *mut c_void;
    fn __libc_calloc(count: usize, size: usize) -> *mut c_void;
    fn __libc_realloc(block: *mut c_void, size: usize) -> *mut c_void;
    fn __libc_memalign(align: usize, size: usize) -> *mut c_void;
    fn backtrace(addresses: *mut *mut c_void, most: c_int) -> c_int;
    fn getenv(name: *const c_char) -> *const c_char;
    fn atol(text: *const c_char) -> c_long;
    fn open(path: *const c_char, flags: c_int, mode: c_int) -> c_int;
    fn write(fd: c_int, bytes: *const c_void, length: usize) -> isize;
    fn clock_gettime(clock: c_int, at: *mut [i64; 2]) -> c_int;
}

const WRONLY_CREAT_APPEND: c_int = 1 | 0o100 | 0o2000;
const MONOTONIC: c_int = 1;
const DEPTH: usize = 40;

static FILE: AtomicIsize = AtomicIsize::new(-1);
static BEGAN: AtomicI64 = AtomicI64::new(0);
static FROM: AtomicU64 = AtomicU64::new(u64::MAX);
static IS_INSIDE: AtomicBool = AtomicBool::new(false);

fn millis() -> i64 {
    let mut at = [0; 2];
    // SAFETY: the kernel writes a `struct timespec`, which is two longs on the 64-bit machines the lab has.
    unsafe { clock_gettime(MONOTONIC, &raw mut at) };
    at[0] * 1000 + at[1] / 1_000_000
}

/// The program starts.
extern "C" fn begin() {
    BEGAN.store(millis(), Relaxed);
    let mut addresses = [std::ptr::null_mut(); DEPTH];
    // SAFETY: names end in NUL, what getenv gives ends in NUL or is null, which is looked at first; `addresses` has room.
    unsafe {
        backtrace(addresses.as_mut_ptr(), DEPTH as c_int);
        let (to, from) = (getenv(c"ALLOCATIONS_TO".as_ptr()), getenv(c"ALLOCATIONS_FROM".as_ptr()));
        if to.is_null() || from.is_null() {
            return;
        }
        FILE.store(open(to, WRONLY_CREAT_APPEND, 0o644) as isize, Relaxed);
        FROM.store(atol(from) as u64 * 1000, Relaxed);
    }
}

#[used]
#[unsafe(link_section = ".init_array")]
static BEGIN: extern "C" fn() = begin;

struct Line {
    bytes: [u8; 1024],
    length: usize,
}

impl Line {
    fn add(&mut self, number: u64, base: u64) {
        let (mut digits, mut rest, mut at) = ([0; 20], number, 20);
        loop {
            at -= 1;
            digits[at] = b"0123456789abcdef"[(rest % base) as usize];
            rest /= base;
            if rest == 0 {
                break;
            }
        }
        for byte in digits[at..].iter().chain(b" ") {
            if let Some(place) = self.bytes.get_mut(self.length) {
                *place = *byte;
                self.length += 1;
            }
        }
    }
}

fn tell(size: usize) {
    let file = FILE.load(Relaxed);
    if file < 0 || IS_INSIDE.swap(true, Relaxed) {
        return;
    }
    let since = (millis() - BEGAN.load(Relaxed)) as u64;
    if since >= FROM.load(Relaxed) {
        let mut addresses = [std::ptr::null_mut(); DEPTH];
        // SAFETY: `addresses` has room for as many as are asked for.
        let count = unsafe { backtrace(addresses.as_mut_ptr(), DEPTH as c_int) };
        let mut line = Line { bytes: [0; 1024], length: 0 };
        line.add(since, 10);
        line.add(size as u64, 10);
        for address in addresses.iter().take(count as usize) {
            line.add(*address as u64, 16);
        }
        line.bytes[line.length - 1] = b'\n';
        // SAFETY: the file was opened at the start, and the line is that long.
        unsafe { write(file as c_int, line.bytes.as_ptr().cast(), line.length) };
    }
    IS_INSIDE.store(false, Relaxed);
}

/// malloc(3)
///
/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn malloc(size: usize) -> *mut c_void {
    tell(size);
    // SAFETY: the caller's.
    unsafe { __libc_malloc(size) }
}

/// calloc(3)
///
/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn calloc(count: usize, size: usize) -> *mut c_void {
    tell(count.saturating_mul(size));
    // SAFETY: the caller's.
    unsafe { __libc_calloc(count, size) }
}

/// realloc(3)
///
/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn realloc(block: *mut c_void, size: usize) -> *mut c_void {
    tell(size);
    // SAFETY: the caller's.
    unsafe { __libc_realloc(block, size) }
}

/// posix_memalign(3)
///
/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn posix_memalign(to: *mut *mut c_void, align: usize, size: usize) -> c_int {
    tell(size);
    // SAFETY: the caller's; `to` is where the block goes.
    unsafe {
        *to = __libc_memalign(align, size);
        if (*to).is_null() { 12 } else { 0 }
    }
}
