//! Reports in JUnit's XML, which build servers read.

use std::time::Duration;

use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};

use super::diff::Colours;
use super::find::Suite;
use super::run::CaseReport;
use super::verdict::Verdict;

/// The reports of a run, in JUnit's XML.
pub struct JUnit(quick_junit::Report);

impl Default for JUnit {
    fn default() -> Self {
        JUnit(quick_junit::Report::new("sandbar test"))
    }
}

impl JUnit {
    /// Adds the cases of a file.
    pub fn suite(&mut self, suite: &Suite, reports: &[CaseReport]) {
        let name = suite.path.display().to_string();
        let mut junit = TestSuite::new(&name);
        for report in reports {
            let explanation = report.explain(&suite.path, Colours(false));
            let status = match &report.verdict {
                Verdict::Passed => TestCaseStatus::success(),
                Verdict::Failed(_) => {
                    let message = "the actual result differs from the expected one";
                    unlike(NonSuccessKind::Failure, "difference", message, &explanation)
                }
                Verdict::Error(reason) => {
                    unlike(NonSuccessKind::Error, "error", reason, &explanation)
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
        let status = unlike(NonSuccessKind::Error, "unreadable", reason, reason);
        let mut junit = TestSuite::new(name);
        junit.add_test_case(TestCase::new("the cases can be read", status));
        self.0.add_test_suite(junit);
    }

    /// The XML.
    ///
    /// # Errors
    /// If it cannot be written out.
    pub fn to_xml(&self) -> Result<String, quick_junit::SerializeError> {
        self.0.to_string()
    }
}

fn unlike(kind: NonSuccessKind, ty: &str, message: &str, explanation: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_type(ty).set_message(message).set_description(explanation);
    status
}
