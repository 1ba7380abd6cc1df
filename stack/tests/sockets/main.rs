//! Sockets by number, as a program for Linux would use them, in virtual time.

mod calls;
mod epoll;
mod lab;
mod linger;
mod property;
mod transfer;
