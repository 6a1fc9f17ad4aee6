//! What is tried, and with which error each attempt fails: 0 if it succeeds.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::ptr::null_mut;
use std::time::SystemTime;

use nix::libc;

/// The error of what was tried, 0 if there is none.
fn error<T>(result: io::Result<T>) -> i32 {
    result.map_or_else(|error| error.raw_os_error().unwrap_or(-1), |_| 0)
}

/// The error of a system call.
fn call(number: libc::c_long, arguments: [libc::c_long; 6]) -> i32 {
    let [a, b, c, d, e, f] = arguments;
    // SAFETY: what is called has numbers for arguments, or null in place of memory, or fails
    // before it looks at them.
    match unsafe { libc::syscall(number, a, b, c, d, e, f) } {
        -1 => error::<()>(Err(io::Error::last_os_error())),
        _ => 0,
    }
}

/// How many descriptors are open beside standard input, output and error.
pub(super) fn descriptors() -> usize {
    let open = |fd: &i64| call(libc::SYS_fcntl, [*fd, libc::F_GETFD.into(), 0, 0, 0, 0]) == 0;
    (3..4096).filter(open).count()
}

/// Tries everything, and writes what became of it as JSON.
pub(super) fn all(whole: bool, inherited: usize, places: &[PathBuf]) {
    let mut seen = BTreeMap::from([("whole".to_owned(), i32::from(whole))]);
    seen.insert("inherited before".into(), i32::try_from(inherited).unwrap());
    seen.insert("inherited".into(), i32::try_from(descriptors()).unwrap());
    seen.insert("environment".into(), i32::try_from(std::env::vars_os().count()).unwrap());
    let [allowed, outside] = places else { panic!("two places") };
    let groups = [network(), programs(), processes(), kernel(), memory(), files(allowed, outside)];
    for (what, error) in groups.into_iter().flatten() {
        assert!(seen.insert(what.to_owned(), error).is_none(), "{what}");
    }
    println!("{}", serde_json::to_string(&seen).unwrap());
}

type Seen = Vec<(&'static str, i32)>;

fn network() -> Seen {
    let socket = |family: libc::c_int, kind: libc::c_int| {
        call(libc::SYS_socket, [family.into(), kind.into(), 0, 0, 0, 0])
    };
    let none = [-1; 6];
    vec![
        ("socket inet", socket(libc::AF_INET, libc::SOCK_STREAM)),
        ("socket inet6", socket(libc::AF_INET6, libc::SOCK_DGRAM)),
        ("socket unix", socket(libc::AF_UNIX, libc::SOCK_STREAM)),
        ("socket netlink", socket(libc::AF_NETLINK, libc::SOCK_RAW)),
        ("socket packet", socket(libc::AF_PACKET, libc::SOCK_RAW)),
        ("socket vsock", socket(libc::AF_VSOCK, libc::SOCK_STREAM)),
        ("socket alg", socket(libc::AF_ALG, libc::SOCK_SEQPACKET)),
        ("connect", error(std::net::TcpStream::connect("127.0.0.1:9"))),
        ("bind", error(std::net::UdpSocket::bind("127.0.0.1:0"))),
        ("socketpair", error(UnixStream::pair())),
        ("sendmsg", call(libc::SYS_sendmsg, none)),
        ("sendmmsg", call(libc::SYS_sendmmsg, none)),
        (
            "socket in a thread",
            std::thread::spawn(move || socket(libc::AF_INET, libc::SOCK_STREAM)).join().unwrap(),
        ),
    ]
}

fn programs() -> Seen {
    let clone = |flags: libc::c_int| {
        // One with nowhere to run would go on here, as a process of its own.
        match call(libc::SYS_clone, [flags.into(), 0, 0, 0, 0, 0]) {
            // SAFETY: this ends the process at once, were it a new one or not.
            0 => unsafe { libc::_exit(99) },
            error => error,
        }
    };
    let here = libc::CLONE_THREAD | libc::CLONE_VM | libc::CLONE_SIGHAND;
    vec![
        ("a program", error(Command::new("/proc/self/exe").spawn())),
        ("execve", call(libc::SYS_execve, [0; 6])),
        ("execveat", call(libc::SYS_execveat, [-1; 6])),
        ("a process", clone(libc::SIGCHLD)),
        ("a process that shares memory", clone(libc::CLONE_VM | libc::CLONE_VFORK)),
        ("clone3", call(libc::SYS_clone3, [0; 6])),
        ("a thread in another network", clone(here | libc::CLONE_NEWNET)),
        ("a thread of another user", clone(here | libc::CLONE_NEWUSER)),
        #[cfg(target_arch = "x86_64")]
        ("fork", call(libc::SYS_fork, [0; 6])),
        #[cfg(target_arch = "x86_64")]
        ("vfork", call(libc::SYS_vfork, [0; 6])),
        // Those of the x32 interface, and of a kernel to come.
        ("x32", call(0x4000_0000 | libc::SYS_getpid, [0; 6])),
        ("a newer call", call(463, [-1; 6])),
        ("a thread", i32::from(std::thread::spawn(|| ()).join().is_err())),
    ]
}

fn processes() -> Seen {
    // SAFETY: these have no arguments.
    let (parent, own) = unsafe { (libc::getppid(), libc::getpid()) };
    let (parent, own) = (libc::c_long::from(parent), libc::c_long::from(own));
    let on = |number| call(number, [parent, 0, 0, 0, 0, 0]);
    let fcntl = |command: libc::c_long| call(libc::SYS_fcntl, [0, command, parent, 0, 0, 0]);
    let limit = libc::rlimit { rlim_cur: 1 << 40, rlim_max: 1 << 40 };
    let limit = &raw const limit as libc::c_long;
    let data = libc::c_long::from(libc::RLIMIT_DATA);
    let open = libc::c_long::from(libc::RLIMIT_NOFILE);
    vec![
        ("kill the parent", on(libc::SYS_kill)),
        ("kill all", call(libc::SYS_kill, [-1, 0, 0, 0, 0, 0])),
        ("kill the group", call(libc::SYS_kill, [0; 6])),
        ("tgkill", call(libc::SYS_tgkill, [parent, parent, 0, 0, 0, 0])),
        ("tkill", on(libc::SYS_tkill)),
        ("queue a signal", on(libc::SYS_rt_sigqueueinfo)),
        ("queue a signal to a thread", on(libc::SYS_rt_tgsigqueueinfo)),
        ("signals of a descriptor", fcntl(libc::F_SETOWN.into())),
        ("another signal of a descriptor", fcntl(10)),
        ("signals of a descriptor by ioctl", call(libc::SYS_ioctl, [0, 0x8901, 0, 0, 0, 0])),
        ("letters for a terminal", call(libc::SYS_ioctl, [0, 0x5412, 0, 0, 0, 0])),
        ("a signal to itself", call(libc::SYS_kill, [own, 0, 0, 0, 0, 0])),
        ("pidfd_open", on(libc::SYS_pidfd_open)),
        ("pidfd_getfd", call(libc::SYS_pidfd_getfd, [-1; 6])),
        ("pidfd_send_signal", call(libc::SYS_pidfd_send_signal, [-1; 6])),
        ("ptrace", call(libc::SYS_ptrace, [libc::PTRACE_SEIZE.into(), parent, 0, 0, 0, 0])),
        ("read its memory", on(libc::SYS_process_vm_readv)),
        ("write its memory", on(libc::SYS_process_vm_writev)),
        ("advise on its memory", call(libc::SYS_process_madvise, [-1; 6])),
        ("release its memory", call(libc::SYS_process_mrelease, [-1; 6])),
        ("compare it", call(libc::SYS_kcmp, [parent, parent, 0, 0, 0, 0])),
        ("its limits", call(libc::SYS_prlimit64, [parent, open, 0, 0, 0, 0])),
        ("own limits by prlimit", call(libc::SYS_prlimit64, [0, data, limit, 0, 0, 0])),
        ("own limits", call(libc::SYS_setrlimit, [data, limit, 0, 0, 0, 0])),
        ("look at own limits", call(libc::SYS_prlimit64, [0, data, 0, 0, 0, 0])),
        ("its priority", call(libc::SYS_setpriority, [0, parent, 0, 0, 0, 0])),
        ("its scheduler", on(libc::SYS_sched_setscheduler)),
        ("its scheduling", on(libc::SYS_sched_setattr)),
        ("its processors", on(libc::SYS_sched_setaffinity)),
        ("its memory's place", on(libc::SYS_move_pages)),
        ("outlive it", call(libc::SYS_prctl, [libc::PR_SET_PDEATHSIG.into(), 0, 0, 0, 0, 0])),
    ]
}

fn kernel() -> Seen {
    let none = |number| call(number, [-1; 6]);
    vec![
        ("mount", none(libc::SYS_mount)),
        ("umount", none(libc::SYS_umount2)),
        ("move_mount", none(libc::SYS_move_mount)),
        ("open_tree", none(libc::SYS_open_tree)),
        ("fsopen", none(libc::SYS_fsopen)),
        ("pivot_root", none(libc::SYS_pivot_root)),
        ("chroot", none(libc::SYS_chroot)),
        ("unshare", call(libc::SYS_unshare, [libc::CLONE_NEWUSER.into(), 0, 0, 0, 0, 0])),
        ("setns", none(libc::SYS_setns)),
        ("bpf", none(libc::SYS_bpf)),
        ("perf", none(libc::SYS_perf_event_open)),
        ("userfaultfd", call(libc::SYS_userfaultfd, [1, 0, 0, 0, 0, 0])),
        ("io_uring_setup", call(libc::SYS_io_uring_setup, [1, 0, 0, 0, 0, 0])),
        ("io_uring_enter", none(libc::SYS_io_uring_enter)),
        ("io_uring_register", none(libc::SYS_io_uring_register)),
        ("keyctl", none(libc::SYS_keyctl)),
        ("add_key", none(libc::SYS_add_key)),
        ("request_key", none(libc::SYS_request_key)),
        ("init_module", none(libc::SYS_init_module)),
        ("kexec", none(libc::SYS_kexec_load)),
        ("handles of files", none(libc::SYS_open_by_handle_at)),
        ("fanotify", none(libc::SYS_fanotify_init)),
        ("personality", none(libc::SYS_personality)),
        ("capabilities", i32::from(has_capabilities())),
    ]
}

/// Whether there are capabilities beyond those that open files.
fn has_capabilities() -> bool {
    let (mut header, mut sets) = ([0x2008_0522_u32, 0], [0_u32; 6]);
    // SAFETY: both arrays are as the third version of the interface has them.
    let told = unsafe { libc::syscall(libc::SYS_capget, header.as_mut_ptr(), sets.as_mut_ptr()) };
    assert_eq!(told, 0);
    sets[0] & !0b110 != 0 || sets[1] & !0b110 != 0 || sets[2..] != [0; 4]
}

/// Memory that the limit of data would not count.
fn memory() -> Seen {
    let map = |flags: libc::c_int| {
        let access = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: new memory, wherever the kernel likes.
        let got = unsafe { libc::mmap(null_mut(), 1 << 40, access, flags, -1, 0) };
        if got == libc::MAP_FAILED { error::<()>(Err(io::Error::last_os_error())) } else { 0 }
    };
    let private = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    let shared = libc::MAP_SHARED | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    vec![
        ("too much memory", map(private)),
        ("shared memory", map(shared)),
        ("memory that grows down", map(private | libc::MAP_GROWSDOWN)),
        ("a memory file", call(libc::SYS_memfd_create, [c"a".as_ptr() as i64, 0, 0, 0, 0, 0])),
        ("a secret memory file", call(libc::SYS_memfd_secret, [0; 6])),
        ("System V memory", call(libc::SYS_shmget, [0, 4096, 0o1600, 0, 0, 0])),
        ("System V semaphores", call(libc::SYS_semget, [0, 1, 0o1600, 0, 0, 0])),
        ("System V messages", call(libc::SYS_msgget, [0, 0o1600, 0, 0, 0, 0])),
        ("message queues", call(libc::SYS_mq_open, [0; 6])),
        ("asynchronous input", call(libc::SYS_io_setup, [1, 0, 0, 0, 0, 0])),
    ]
}

fn files(allowed: &Path, outside: &Path) -> Seen {
    let (own, other) = (allowed.join("file"), outside.join("file"));
    let write = |path: &Path| error(OpenOptions::new().write(true).open(path));
    let raw = |number| call(number, [-100, c"file".as_ptr() as i64, 0, 0, 0, 0]);
    let opened = File::open(&own);
    let file = opened.as_ref().ok();
    vec![
        ("read", error(fs::read(&own))),
        ("list", error(fs::read_dir(allowed))),
        ("write", write(&own)),
        ("create", error(File::create(allowed.join("new")))),
        ("make a folder", error(fs::create_dir(allowed.join("new")))),
        ("remove", error(fs::remove_file(&own))),
        ("rename", error(fs::rename(&own, allowed.join("new")))),
        ("link", error(fs::hard_link(&own, allowed.join("new")))),
        ("link by name", error(std::os::unix::fs::symlink("/", allowed.join("new")))),
        ("truncate", call(libc::SYS_truncate, [own_name(&own).as_ptr() as i64, 0, 0, 0, 0, 0])),
        ("mode", file.map_or(-1, |file| error(file.set_permissions(mode(file))))),
        ("mode by name", file.map_or(-1, |file| error(fs::set_permissions(&other, mode(file))))),
        ("owner", error(std::os::unix::fs::chown(&other, Some(0), None))),
        ("time", file.map_or(-1, |file| error(file.set_modified(SystemTime::UNIX_EPOCH)))),
        ("attributes", raw(libc::SYS_setxattr)),
        ("attributes away", raw(libc::SYS_removexattr)),
        ("changes", call(libc::SYS_inotify_add_watch, [-1; 6])),
        ("read outside", error(fs::read(&other))),
        ("list outside", error(fs::read_dir(outside))),
        ("write outside", write(&other)),
        ("create outside", error(File::create(outside.join("new")))),
        ("read by a link", error(fs::read(allowed.join("link")))),
        ("passwords", error(fs::read("/etc/passwd"))),
        ("environment of the parent", error(fs::read(parent("environ")))),
        ("memory of the parent", error(File::open(parent("mem")))),
        ("own memory as a file", error(File::open("/proc/self/mem"))),
        ("terminal", error(File::open("/dev/tty"))),
        ("endless zeros", error(File::open("/dev/zero"))),
        ("memory of the system", error(File::create("/dev/shm/sandbar-confined"))),
    ]
}

fn own_name(path: &Path) -> std::ffi::CString {
    std::ffi::CString::new(path.to_str().unwrap()).unwrap()
}

fn mode(file: &File) -> fs::Permissions {
    file.metadata().unwrap().permissions()
}

fn parent(file: &str) -> String {
    // SAFETY: this has no arguments.
    format!("/proc/{}/{file}", unsafe { libc::getppid() })
}
