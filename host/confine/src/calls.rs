//! System calls that a confined process does not get (seccomp).
//!
//! What is refused is named: the engine, the compiler and the C library change what they need from
//! version to version. So that the list has no gap where the kernel learns something, calls that
//! are newer than it do not exist for the process.

use std::collections::BTreeMap;
use std::error::Error;

use rustix::process::getpid;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, apply_filter, sock_filter,
};

/// Calls that nothing that is prepared needs.
const REFUSED: &[libc::c_long] = &[
    // The network, and what passes descriptors on.
    libc::SYS_socket,
    libc::SYS_socketpair,
    libc::SYS_connect,
    libc::SYS_bind,
    libc::SYS_listen,
    libc::SYS_accept,
    libc::SYS_accept4,
    libc::SYS_sendto,
    libc::SYS_sendmsg,
    libc::SYS_sendmmsg,
    // Other programs.
    libc::SYS_execve,
    libc::SYS_execveat,
    // Other processes: their memory, descriptors, signals, limits, shares of the processor and
    // places in memory. This user's are within reach of them all, the runner before others.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_process_mrelease,
    libc::SYS_pidfd_open,
    libc::SYS_pidfd_getfd,
    libc::SYS_pidfd_send_signal,
    libc::SYS_kcmp,
    libc::SYS_tkill,
    libc::SYS_rt_sigqueueinfo,
    libc::SYS_rt_tgsigqueueinfo,
    libc::SYS_setrlimit,
    libc::SYS_setpriority,
    libc::SYS_ioprio_set,
    libc::SYS_sched_setaffinity,
    libc::SYS_sched_setattr,
    libc::SYS_sched_setparam,
    libc::SYS_sched_setscheduler,
    libc::SYS_migrate_pages,
    libc::SYS_move_pages,
    // What of files Landlock does not look at: whose they are, who may open them, when they
    // changed, what happens to them; and how they are opened past their names.
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    libc::SYS_fchown,
    libc::SYS_fchownat,
    libc::SYS_utimensat,
    libc::SYS_setxattr,
    libc::SYS_lsetxattr,
    libc::SYS_fsetxattr,
    libc::SYS_removexattr,
    libc::SYS_lremovexattr,
    libc::SYS_fremovexattr,
    libc::SYS_inotify_add_watch,
    libc::SYS_fanotify_init,
    libc::SYS_name_to_handle_at,
    libc::SYS_open_by_handle_at,
    // Memory that the limit of data does not count, some of which stays behind.
    libc::SYS_memfd_secret,
    libc::SYS_shmget,
    libc::SYS_shmat,
    libc::SYS_semget,
    libc::SYS_msgget,
    libc::SYS_mq_open,
    libc::SYS_io_setup,
    // What the machine is made of.
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_move_mount,
    libc::SYS_mount_setattr,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_fspick,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_kexec_file_load,
    // Parts of the kernel that have been ways out of sandboxes.
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_personality,
];

/// Those of them that this architecture has beside newer ones.
#[cfg(target_arch = "x86_64")]
const OLD: &[libc::c_long] = &[
    libc::SYS_fork,
    libc::SYS_vfork,
    libc::SYS_chmod,
    libc::SYS_chown,
    libc::SYS_lchown,
    libc::SYS_utime,
    libc::SYS_utimes,
    libc::SYS_futimesat,
    libc::SYS_modify_ldt,
    libc::SYS_ioperm,
    libc::SYS_iopl,
];
#[cfg(not(target_arch = "x86_64"))]
const OLD: &[libc::c_long] = &[];

/// Calls that who makes them goes on without: their flags are in memory, where a filter cannot
/// look, and the C library then uses `clone`; memory files are not counted as data, and the engine
/// then copies what is in one.
const ABSENT: [libc::c_long; 3] = [libc::SYS_clone3, libc::SYS_memfd_create, FCHMODAT2];

/// Of Linux 6.6, not named for each architecture yet. Newer calls have the same number on all.
const FCHMODAT2: libc::c_long = 452;

/// The newest call that was looked at for the lists above: `mseal` of Linux 6.10.
const NEWEST: u32 = 462;

/// Refuses calls to this process and all of its threads to come, for good.
pub(super) fn restrict() -> Result<(), Box<dyn Error>> {
    let mut refused: BTreeMap<_, _> =
        REFUSED.iter().chain(OLD).map(|call| (*call, Vec::new())).collect();
    refused.extend(conditional()?);
    forbid(refused, libc::EPERM)?;
    forbid(ABSENT.map(|call| (call, Vec::new())).into(), libc::ENOSYS)?;
    Ok(apply_filter(&unknown())?)
}

/// Calls that are refused with some arguments.
fn conditional() -> Result<BTreeMap<libc::c_long, Vec<SeccompRule>>, Box<dyn Error>> {
    use SeccompCmpArgLen::{Dword, Qword};
    use SeccompCmpOp::{Eq, MaskedEq, Ne};
    let rule = |argument, length, operator, value| {
        SeccompRule::new(vec![SeccompCondition::new(argument, length, operator, value)?])
    };
    let any = |argument, values: &[u64]| -> Result<Vec<_>, _> {
        values.iter().map(|value| rule(argument, Dword, Eq, *value)).collect()
    };
    let own = u64::from(getpid().as_raw_pid().cast_unsigned());
    // Flags are compared as they are, whatever their type's sign.
    let bits = |flags: libc::c_int| u64::from(flags.cast_unsigned());
    let shared = bits(libc::MAP_SHARED | libc::MAP_ANONYMOUS);
    let grows = bits(libc::MAP_GROWSDOWN);
    let mut threads = vec![rule(0, Qword, MaskedEq(bits(libc::CLONE_THREAD)), 0)?];
    for space in [
        libc::CLONE_NEWCGROUP,
        libc::CLONE_NEWIPC,
        libc::CLONE_NEWNET,
        libc::CLONE_NEWNS,
        libc::CLONE_NEWPID,
        libc::CLONE_NEWUSER,
        libc::CLONE_NEWUTS,
    ] {
        threads.push(rule(0, Qword, MaskedEq(bits(space)), bits(space))?);
    }
    Ok(BTreeMap::from([
        // Threads, but no processes, and all of them where this one is.
        (libc::SYS_clone, threads),
        // Signals to itself, as `abort` sends one.
        (libc::SYS_kill, vec![rule(0, Dword, Ne, own)?]),
        (libc::SYS_tgkill, vec![rule(0, Dword, Ne, own)?]),
        // A descriptor that is ready sends its owner a signal.
        (libc::SYS_fcntl, any(1, &[bits(libc::F_SETOWN), F_SETSIG, F_SETOWN_EX])?),
        (libc::SYS_ioctl, any(1, &[FIOSETOWN, SIOCSPGRP, TIOCSTI])?),
        // Its own limits may be read.
        (libc::SYS_prlimit64, vec![rule(0, Dword, Ne, 0)?, rule(2, Qword, Ne, 0)?]),
        // It ends with whoever waits for its answer.
        (libc::SYS_prctl, any(0, &[bits(libc::PR_SET_PDEATHSIG)])?),
        // Neither what is shared nor what grows down is counted as data.
        (
            libc::SYS_mmap,
            vec![
                rule(3, Qword, MaskedEq(shared), shared)?,
                rule(3, Qword, MaskedEq(grows), grows)?,
            ],
        ),
    ]))
}

// `asm-generic/fcntl.h`, `asm-generic/sockios.h`, `asm-generic/ioctls.h`.
const F_SETSIG: u64 = 10;
const F_SETOWN_EX: u64 = 15;
const FIOSETOWN: u64 = 0x8901;
const SIOCSPGRP: u64 = 0x8902;
const TIOCSTI: u64 = 0x5412;

fn forbid(
    calls: BTreeMap<libc::c_long, Vec<SeccompRule>>,
    error: libc::c_int,
) -> Result<(), Box<dyn Error>> {
    let action = SeccompAction::Errno(error.cast_unsigned());
    let arch = std::env::consts::ARCH.try_into()?;
    let filter = SeccompFilter::new(calls, SeccompAction::Allow, action, arch)?;
    let program: BpfProgram = filter.try_into()?;
    Ok(apply_filter(&program)?)
}

/// Calls with numbers above those of the list do not exist: those that are newer, and on x86-64
/// the same once more with the numbers of the x32 interface.
fn unknown() -> BpfProgram {
    let number = std::mem::offset_of!(libc::seccomp_data, nr) as u32;
    let step = |code: u32, jf, k| sock_filter { code: code as u16, jt: 0, jf, k };
    let absent = libc::SECCOMP_RET_ERRNO | libc::ENOSYS.cast_unsigned();
    vec![
        step(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, number),
        step(libc::BPF_JMP | libc::BPF_JGT | libc::BPF_K, 1, NEWEST),
        step(libc::BPF_RET | libc::BPF_K, 0, absent),
        step(libc::BPF_RET | libc::BPF_K, 0, libc::SECCOMP_RET_ALLOW),
    ]
}
