use std::fs;
use std::path::PathBuf;
use std::process::Command;

/// A file system of its own in memory, where the machine allows one.
pub struct Mounted(PathBuf);

impl Mounted {
    pub fn new(folder: PathBuf, mebibytes: u32) -> Option<Self> {
        fs::create_dir_all(&folder).unwrap();
        let size = format!("size={mebibytes}m");
        let options = ["-t", "tmpfs", "-o", &size, "tmpfs"];
        let mounted = Command::new("mount").args(options).arg(&folder).output();
        let mounted = mounted.is_ok_and(|m| m.status.success());
        if !mounted {
            println!("skipped: no file system can be mounted here");
        }
        mounted.then_some(Self(folder))
    }

    pub fn remount(&self, mode: &str) {
        let mut mount = Command::new("mount");
        mount.args(["-o", &format!("remount,{mode}")]).arg(&self.0);
        assert!(mount.status().unwrap().success());
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}
