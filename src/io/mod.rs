// SPDX-License-Identifier: Apache-2.0
//! The only place that touches the outside: sockets, files, clocks.
