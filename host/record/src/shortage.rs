//! How short of memory a process is: steps, each of which is left only well below where it begins.

/// How short of memory the process is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Shortage {
    /// There is enough.
    #[default]
    None,
    /// Nothing is fetched while anything is in flight.
    Tight,
    /// Nothing is fetched, and what would take much more memory is refused.
    Short,
    /// The limit is exceeded.
    Over,
}

impl Shortage {
    /// Every step, the mildest first.
    pub const ALL: [Shortage; 4] =
        [Shortage::None, Shortage::Tight, Shortage::Short, Shortage::Over];

    /// The name in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Shortage::None => "enough",
            Shortage::Tight => "tight",
            Shortage::Short => "short",
            Shortage::Over => "over",
        }
    }

    /// Hundredths of the limit at which it begins, and below which it ends.
    const fn range(self) -> (u64, u64) {
        match self {
            Shortage::None => (0, 0),
            Shortage::Tight => (80, 75),
            Shortage::Short => (90, 85),
            Shortage::Over => (100, 95),
        }
    }

    /// The step that follows from what is used of a limit, where this one was before.
    #[must_use]
    pub fn after(self, used: u64, limit: u64) -> Self {
        let holds = |step: &Shortage| {
            let (begins, ends) = step.range();
            let hundredths = if *step > self { begins } else { ends };
            u128::from(used) * 100 >= u128::from(limit) * u128::from(hundredths)
        };
        Shortage::ALL.into_iter().rev().find(holds).unwrap_or_default()
    }

    /// How many bytes more begin a worse step; 0: there is none.
    pub fn room(self, used: u64, limit: u64) -> u64 {
        let worse = Shortage::ALL.into_iter().find(|step| *step > self);
        let begins = worse.map_or(0, |step| limit / 100 * step.range().0);
        begins.saturating_sub(used)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_left_well_below_where_it_begins() {
        use Shortage::{None, Over, Short, Tight};
        let mut step = None;
        let mut seen = Vec::new();
        for used in [0, 79, 80, 89, 90, 86, 84, 76, 74, 100, 96, 94, 84, 0] {
            step = step.after(used, 100);
            seen.push((used, step));
        }
        let expected = [
            (0, None),
            (79, None),
            (80, Tight),
            (89, Tight),
            (90, Short),
            (86, Short),
            (84, Tight),
            (76, Tight),
            (74, None),
            (100, Over),
            (96, Over),
            (94, Short),
            (84, Tight),
            (0, None),
        ];
        assert_eq!(seen, expected);
    }

    #[test]
    fn the_room_is_up_to_the_next_step() {
        assert_eq!(Shortage::None.room(500, 1000), 300);
        assert_eq!(Shortage::Tight.room(850, 1000), 50);
        assert_eq!(Shortage::Short.room(950, 1000), 50);
        assert_eq!(Shortage::Over.room(1200, 1000), 0);
    }
}
