//! What a process may use, set by itself and for good.
//!
//! Memory is bounded by `RLIMIT_DATA`, not by the address space: the sandbox reserves gigabytes of
//! addresses for each memory of a guest, and uses few of them. Since Linux 4.7 the limit is on
//! what is private and writable, allocated by `mmap` or not (`getrlimit(2)`).

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, setrlimit};

/// How much a process may use of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Bytes of memory that it may write to.
    pub memory: u64,
    /// Processor time of all its threads.
    pub cpu: Duration,
}

/// What of a process's confinement this system has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Confinement {
    /// System calls of the network, and those that start programs, fail (seccomp).
    pub calls: bool,
    /// Files fail to open but for those that it is to read (Landlock).
    pub files: bool,
}

impl Confinement {
    /// Limits this process: call it before there are other threads, and before anything
    /// untrusted is read. `readable` are the files and folders that may still be opened, for
    /// reading; those that do not exist are left out.
    ///
    /// # Errors
    /// If the memory or the time cannot be limited.
    pub fn enter(bounds: Bounds, readable: &[PathBuf]) -> io::Result<Self> {
        limit(Resource::Data, bounds.memory, bounds.memory)?;
        let seconds = bounds.cpu.as_secs().max(1);
        // The hard limit kills without saying which limit it was, and so does the kernel where
        // memory is short: the soft one, with a signal of its own, comes first.
        limit(Resource::Cpu, seconds, seconds.saturating_add(1))?;
        // Its memory is a user's records and models.
        limit(Resource::Core, 0, 0)?;
        Ok(system::enter(readable))
    }

    /// Whether all of it is there.
    pub fn is_whole(self) -> bool {
        self.calls && self.files
    }
}

fn limit(resource: Resource, soft: u64, hard: u64) -> io::Result<()> {
    let limit = Rlimit { current: Some(soft), maximum: Some(hard) };
    Ok(setrlimit(resource, limit)?)
}

#[cfg(target_os = "linux")]
mod system {
    use std::collections::BTreeMap;
    use std::error::Error;
    use std::path::PathBuf;

    use landlock::{
        ABI, Access, AccessFs, AccessNet, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetStatus,
        path_beneath_rules,
    };
    use rustix::process::{Signal, set_parent_process_death_signal};
    use seccompiler::{
        BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
        SeccompRule, apply_filter,
    };

    use super::Confinement;

    /// The newest version of Landlock that is used; older kernels do what they can.
    const LANDLOCK: ABI = ABI::V4;

    /// What nothing that is prepared needs: sockets, other programs, other processes, and parts of
    /// the kernel that have been ways out of sandboxes.
    const REFUSED: [libc::c_long; 34] = [
        libc::SYS_socket,
        libc::SYS_socketpair,
        libc::SYS_connect,
        libc::SYS_bind,
        libc::SYS_listen,
        libc::SYS_accept,
        libc::SYS_accept4,
        libc::SYS_sendto,
        libc::SYS_sendmsg,
        libc::SYS_execve,
        libc::SYS_execveat,
        libc::SYS_ptrace,
        libc::SYS_process_vm_readv,
        libc::SYS_process_vm_writev,
        libc::SYS_pidfd_getfd,
        libc::SYS_kcmp,
        libc::SYS_mount,
        libc::SYS_umount2,
        libc::SYS_pivot_root,
        libc::SYS_chroot,
        libc::SYS_unshare,
        libc::SYS_setns,
        libc::SYS_bpf,
        libc::SYS_perf_event_open,
        libc::SYS_userfaultfd,
        libc::SYS_io_uring_setup,
        libc::SYS_io_uring_enter,
        libc::SYS_io_uring_register,
        libc::SYS_keyctl,
        libc::SYS_add_key,
        libc::SYS_request_key,
        libc::SYS_init_module,
        libc::SYS_finit_module,
        libc::SYS_kexec_load,
    ];

    pub(super) fn enter(readable: &[PathBuf]) -> Confinement {
        // It ends with whoever waits for its answer.
        let _ = set_parent_process_death_signal(Some(Signal::KILL));
        let files = restrict_files(readable).unwrap_or(false);
        Confinement { files, calls: restrict_calls().is_ok() }
    }

    fn restrict_files(readable: &[PathBuf]) -> Result<bool, Box<dyn Error>> {
        let status = Ruleset::default()
            .handle_access(AccessFs::from_all(LANDLOCK))?
            .handle_access(AccessNet::from_all(LANDLOCK))?
            .create()?
            .add_rules(path_beneath_rules(readable, AccessFs::from_read(LANDLOCK)))?
            .restrict_self()?;
        Ok(status.ruleset != RulesetStatus::NotEnforced)
    }

    fn restrict_calls() -> Result<(), Box<dyn Error>> {
        let mut refused: BTreeMap<_, _> = REFUSED.iter().map(|call| (*call, Vec::new())).collect();
        #[cfg(target_arch = "x86_64")]
        for call in [libc::SYS_fork, libc::SYS_vfork] {
            refused.insert(call, Vec::new());
        }
        // Threads, but no processes.
        let threads = libc::CLONE_THREAD as u64;
        let other =
            SeccompCondition::new(0, SeccompCmpArgLen::Qword, SeccompCmpOp::MaskedEq(threads), 0)?;
        refused.insert(libc::SYS_clone, vec![SeccompRule::new(vec![other])?]);
        forbid(refused, libc::EPERM)?;
        // Its flags are in memory, where a filter cannot look. The C library then uses `clone`.
        forbid(BTreeMap::from([(libc::SYS_clone3, Vec::new())]), libc::ENOSYS)
    }

    fn forbid(
        calls: BTreeMap<libc::c_long, Vec<SeccompRule>>,
        error: libc::c_int,
    ) -> Result<(), Box<dyn Error>> {
        let action = SeccompAction::Errno(error as u32);
        let arch = std::env::consts::ARCH.try_into()?;
        let filter = SeccompFilter::new(calls, SeccompAction::Allow, action, arch)?;
        let program: BpfProgram = filter.try_into()?;
        Ok(apply_filter(&program)?)
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use std::path::PathBuf;

    use super::Confinement;

    /// Nothing but the limits of memory and time is known here.
    pub(super) fn enter(_: &[PathBuf]) -> Confinement {
        Confinement::default()
    }
}
