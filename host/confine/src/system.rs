//! What Linux has to confine a process with, beside its limits.

use std::error::Error;
use std::io;
use std::path::PathBuf;

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetStatus, Scope, path_beneath_rules,
};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Signal, set_parent_process_death_signal};

use crate::calls;
use crate::limits::Confinement;

/// The newest version of Landlock that is used; older kernels do what they can.
const LANDLOCK: ABI = ABI::V6;

pub(super) fn enter(readable: &[PathBuf]) -> io::Result<Confinement> {
    // Landlock and capabilities are a thread's.
    if std::fs::read_dir("/proc/self/task")?.count() > 1 {
        return Err(io::Error::other("it has other threads already, which are not confined"));
    }
    end_with_parent()?;
    // Where memory is short, it goes before what serves.
    let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
    let descriptors = close_descriptors().is_ok();
    let files = restrict_files(readable).unwrap_or(false);
    // Of what root may do beyond others, it needs what opens files.
    let _ = drop_capabilities();
    let calls = calls::restrict().is_ok();
    Ok(Confinement { descriptors, files, calls })
}

/// It ends with whoever waits for its answer.
fn end_with_parent() -> io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    // It may be gone already, and then there is no signal.
    let output = rustix::stdio::stdout();
    let mut output = [PollFd::new(&output, PollFlags::empty())];
    poll(&mut output, Some(&Timespec::default()))?;
    if output[0].revents().contains(PollFlags::ERR) {
        return Err(io::Error::other("nobody waits for an answer any more"));
    }
    Ok(())
}

/// Closes what was inherited but for standard input, output and error: libraries open some without
/// the flag that closes them.
fn close_descriptors() -> io::Result<()> {
    // SAFETY: this process has one thread, which holds no descriptor but those that stay.
    let closed = unsafe { libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, 0) };
    if closed == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Leaves of the capabilities those that open files whoever they belong to.
fn drop_capabilities() -> io::Result<()> {
    const VERSION_3: u32 = 0x2008_0522;
    // `CAP_DAC_OVERRIDE` and `CAP_DAC_READ_SEARCH`.
    const KEPT: u32 = 1 << 1 | 1 << 2;
    // The version and this thread; then effective, permitted and inheritable ones, twice 32 bits.
    let (mut header, mut sets) = ([VERSION_3, 0_u32], [0_u32; 6]);
    // SAFETY: both arrays are as the third version of the interface has them.
    let mut call = |call, sets: &mut [u32; 6]| match unsafe {
        libc::syscall(call, header.as_mut_ptr(), sets.as_mut_ptr())
    } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    };
    call(libc::SYS_capget, &mut sets)?;
    let [effective, permitted, ..] = sets;
    call(libc::SYS_capset, &mut [effective & KEPT, permitted & KEPT, 0, 0, 0, 0])
}

fn restrict_files(readable: &[PathBuf]) -> Result<bool, Box<dyn Error>> {
    let status = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(LANDLOCK))?
        .handle_access(AccessNet::from_all(LANDLOCK))?
        .scope(Scope::from_all(LANDLOCK))?
        .create()?
        .add_rules(path_beneath_rules(readable, AccessFs::ReadFile | AccessFs::ReadDir))?
        .restrict_self()?;
    Ok(status.ruleset != RulesetStatus::NotEnforced)
}
