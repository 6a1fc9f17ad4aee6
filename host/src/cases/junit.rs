//! Reports in JUnit's XML, which build servers read.

use std::time::Duration;

use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};

use super::diff::Colours;
use super::find::Suite;
use super::run::{Report, Verdict};

/// The reports of a run, in JUnit's XML.
pub struct JUnit(quick_junit::Report);

impl Default for JUnit {
    fn default() -> Self {
        JUnit(quick_junit::Report::new("sandbar test"))
    }
}

impl JUnit {
    /// Adds the cases of a file.
    pub fn suite(&mut self, suite: &Suite, reports: &[Report]) {
        let name = suite.path.display().to_string();
        let mut junit = TestSuite::new(&name);
        for report in reports {
            let status = match &report.verdict {
                Verdict::Passed => TestCaseStatus::success(),
                Verdict::Failed(differences) => {
                    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                    let text: Vec<String> = differences
                        .iter()
                        .map(|it| it.explain(&suite.path, Colours(false)))
                        .collect();
                    status.set_message("what came differs from what is expected");
                    status.set_type("difference").set_description(text.join("\n"));
                    status
                }
                Verdict::Error(reason) => {
                    let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
                    status.set_message(reason).set_type("error").set_description(reason);
                    status
                }
            };
            let mut case = TestCase::new(&report.name, status);
            case.set_classname(&name).set_time(report.took);
            for cost in report.costs() {
                case.add_property(cost);
            }
            junit.add_test_case(case);
        }
        junit.set_time(reports.iter().map(|report| report.took).sum::<Duration>());
        self.0.add_test_suite(junit);
    }

    /// Adds a file that could not be read.
    pub fn unreadable(&mut self, name: &str, reason: &str) {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
        status.set_message(reason).set_type("unreadable").set_description(reason);
        let mut junit = TestSuite::new(name);
        junit.add_test_case(TestCase::new("the cases can be read", status));
        self.0.add_test_suite(junit);
    }

    /// The XML.
    ///
    /// # Errors
    /// Where it cannot be written out.
    pub fn to_xml(&self) -> Result<String, quick_junit::SerializeError> {
        self.0.to_string()
    }
}
