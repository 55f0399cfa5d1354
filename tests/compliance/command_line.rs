//! What the command line takes no notice of (compat CLI-3).

use crate::scene::{Scene, differs};

#[test]
fn an_alias_of_popt_is_an_unknown_option() {
    differs("popt-aliases", || {
        Scene::new()
            .config("{dir}/a.log {\nrotate 1\n}")
            .log("a.log", "x\n")
            .home_file(".popt", "logrotate alias --please --force\n")
            .run(["--please"])
            .status(2)
            .stderr_line("logrotate: bad argument --please: unknown error")
            .expect_files([("a.log", "x\n")]);
    });
}
