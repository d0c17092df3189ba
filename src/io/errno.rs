// SPDX-License-Identifier: Apache-2.0
//! The names of the kernel's errors, as people search for them: `EINVAL`.
//!
//! nix has them as `Debug` alone, which the router's build leaves out. Numbers differ between processors (MIPS has its
//! own), so they are libc's.

use std::borrow::Cow;

macro_rules! names {
    ($($name:ident)*) => { &[$((libc::$name, stringify!($name))),*] };
}

/// Those that netlink, qdiscs, classifiers and devices answer with.
const NAMES: &[(i32, &str)] = names![
    EPERM ENOENT EINTR EIO ENXIO E2BIG EBADF EAGAIN ENOMEM EACCES EFAULT EBUSY EEXIST EXDEV ENODEV EINVAL ENFILE EMFILE
    EFBIG ENOSPC EROFS EDOM ERANGE EDEADLK ENAMETOOLONG ENOSYS ENOTEMPTY ELOOP ENODATA ETIME ENOLINK EPROTO EBADMSG
    EOVERFLOW ENOTUNIQ EUSERS ENOTSOCK EDESTADDRREQ EMSGSIZE EPROTOTYPE ENOPROTOOPT EPROTONOSUPPORT ESOCKTNOSUPPORT
    EOPNOTSUPP EPFNOSUPPORT EAFNOSUPPORT EADDRINUSE EADDRNOTAVAIL ENETDOWN ENETUNREACH ECONNREFUSED ENOBUFS EISCONN
    ENOTCONN ETIMEDOUT EHOSTUNREACH EALREADY EINPROGRESS ESTALE EDQUOT ECANCELED ENOKEY
];

/// The name of an error; one that no part of ours gives is `error NUMBER`.
pub fn name(errno: i32) -> Cow<'static, str> {
    match NAMES.iter().find(|(number, _)| *number == errno) {
        Some((_, name)) => Cow::Borrowed(name),
        None => Cow::Owned(format!("error {errno}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_are_those_nix_knows() {
        for (number, name) in NAMES {
            assert_eq!(format!("{:?}", nix::errno::Errno::from_raw(*number)), *name);
        }
        assert_eq!([name(libc::ENOENT), name(4000)], ["ENOENT", "error 4000"]);
    }
}
