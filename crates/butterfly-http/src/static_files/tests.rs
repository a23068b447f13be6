use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

/// A folder to serve, beside a secret.
struct Site(TempDir);

impl Site {
    fn new() -> Self {
        let site = Self(tempfile::tempdir().unwrap());
        let files = [
            "secret.txt",
            "site/index.html",
            "site/a.txt",
            "site/with space.txt",
            "site/中.txt",
            "site/%2e%2e",
            "site/a+b.txt",
            "site/.env",
            "site/.git/config",
            "site/docs/index.html",
            "site/docs/v1/page.html",
            "site/empty/.keep",
            "site-other/b.txt",
        ];
        for file in files {
            let path = site.0.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, file).unwrap();
        }
        site
    }

    fn root(&self) -> PathBuf {
        self.0.path().join("site")
    }

    /// What is served: every file holds its own path.
    async fn get(&self, raw: &str) -> Option<String> {
        match locate(&self.root(), raw).await {
            Ok(path) => Some(fs::read_to_string(path).unwrap()),
            Err(Fault::File(404, "File Not Found")) => None,
            Err(other) => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn files_and_folders_are_found() {
    let site = Site::new();
    let rows = [
        ("a.txt", "site/a.txt"),
        ("%61.txt", "site/a.txt"),
        ("with%20space.txt", "site/with space.txt"),
        ("%E4%B8%AD.txt", "site/中.txt"),
        ("中.txt", "site/中.txt"),
        ("a+b.txt", "site/a+b.txt"),
        ("", "site/index.html"),
        ("docs", "site/docs/index.html"),
        ("docs/", "site/docs/index.html"),
        ("docs/v1/page.html", "site/docs/v1/page.html"),
        // Escaped twice, it is a name like any other.
        ("%252e%252e", "site/%2e%2e"),
    ];
    for (raw, wanted) in rows {
        assert_eq!(site.get(raw).await.as_deref(), Some(wanted), "{raw}");
    }
}

#[tokio::test]
async fn nothing_else_is_found() {
    let site = Site::new();
    let absolute = site.0.path().join("secret.txt");
    let escaped = absolute.to_str().unwrap().replace('/', "%2f");
    let rows = [
        "none.txt",
        "..",
        "../secret.txt",
        "../site/a.txt",
        "docs/../a.txt",
        "docs/../../secret.txt",
        "./a.txt",
        ".",
        "docs/.",
        "docs/./index.html",
        "%2e%2e/secret.txt",
        "%2E%2E/secret.txt",
        "%2e./secret.txt",
        ".%2e/secret.txt",
        "%2e%2e%2fsecret.txt",
        "..%2fsecret.txt",
        "..%2Fsecret.txt",
        "docs%2findex.html",
        "%252e%252e/secret.txt",
        "%252e%252e%252fsecret.txt",
        "..%5csecret.txt",
        "..%5Csecret.txt",
        "..\\secret.txt",
        "docs\\index.html",
        "docs%5cindex.html",
        "..%c0%afsecret.txt",
        "%c0%ae%c0%ae/secret.txt",
        "%e0%80%ae%e0%80%ae/secret.txt",
        "%uff0e%uff0e/secret.txt",
        "．．/secret.txt",
        "..;/secret.txt",
        "....//secret.txt",
        "...",
        "/",
        "//",
        "/a.txt",
        "a.txt/",
        "a.txt/.",
        "a.txt//",
        "docs//index.html",
        "//docs",
        "docs//",
        "%2f",
        "%2fetc%2fpasswd",
        "/etc/passwd",
        "//etc/passwd",
        "C:",
        "C:/windows/win.ini",
        "c%3a/windows/win.ini",
        "C:a.txt",
        "%5c%5cserver%5cshare",
        "\\\\?\\C:\\a",
        "a.txt%00",
        "a.txt%00.html",
        "%00",
        "a.txt\0",
        "a%0d%0a.txt",
        "a.txt%",
        "a.txt%2",
        "a%zz.txt",
        "%-1a.txt",
        "%+1a.txt",
        "%ff.txt",
        ".env",
        "%2eenv",
        ".git/config",
        "%2egit/config",
        "docs/.hidden",
        "empty",
        "empty/",
        "docs/v1",
        "~root/a",
        "../site-other/b.txt",
        &escaped,
        absolute.to_str().unwrap(),
    ];
    for raw in rows {
        assert_eq!(site.get(raw).await, None, "{raw:?}");
    }
    assert_eq!(site.get(&"a/".repeat(5000)).await, None);
}

#[tokio::test]
async fn without_the_folder_nothing_is_found() {
    let site = Site::new();
    fs::remove_dir_all(site.root()).unwrap();
    assert_eq!(site.get("a.txt").await, None);
    assert_eq!(site.get("").await, None);
}

#[cfg(unix)]
mod links {
    use std::os::unix::fs::symlink;

    use super::*;

    #[tokio::test]
    async fn links_may_lead_anywhere_inside_and_nowhere_else() {
        let site = Site::new();
        let link = |target: &str, name: &str| symlink(target, site.root().join(name)).unwrap();
        link("a.txt", "inside.txt");
        link("docs", "manual");
        link("../secret.txt", "outside.txt");
        link("/etc/passwd", "passwd");
        link("..", "up");
        link("../site-other", "other");
        link("loop", "loop");
        link("none", "dangling");
        assert_eq!(site.get("inside.txt").await.as_deref(), Some("site/a.txt"));
        assert_eq!(site.get("manual/v1/page.html").await.as_deref(), Some("site/docs/v1/page.html"));
        for raw in [
            "outside.txt",
            "passwd",
            "up",
            "up/secret.txt",
            "up/site/a.txt/x",
            "other/b.txt",
            "loop",
            "dangling",
        ] {
            assert_eq!(site.get(raw).await, None, "{raw}");
        }
    }

    #[tokio::test]
    async fn an_index_that_leads_outside_is_not_served() {
        let site = Site::new();
        symlink("../../secret.txt", site.root().join("empty/index.html")).unwrap();
        assert_eq!(site.get("empty").await, None);
    }

    #[tokio::test]
    async fn the_served_folder_itself_may_be_a_link() {
        let site = Site::new();
        let alias = site.0.path().join("alias");
        symlink("site", &alias).unwrap();
        let found = locate(&alias, "a.txt").await.unwrap();
        assert_eq!(fs::read_to_string(found).unwrap(), "site/a.txt");
    }

    #[tokio::test]
    async fn a_pipe_is_no_file() {
        let site = Site::new();
        let pipe = site.root().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(pipe).status().unwrap().success());
        assert_eq!(site.get("pipe").await, None);
    }
}

proptest! {
    #[test]
    fn no_path_leaves_its_folder(raw in "(\\PC|%[0-9a-f]{2}|[./\\\\%]){0,40}") {
        let Some(path) = relative(&raw) else { return Ok(()) };
        let plain = |part: Component<'_>| matches!(part, Component::Normal(name) if !name.as_encoded_bytes().starts_with(b"."));
        prop_assert!(path.components().all(plain), "{path:?}");
        prop_assert!(!path.to_str().unwrap().contains(['\\', '\0']));
    }

    #[test]
    fn escapes_are_undone_once(text in "\\PC{0,40}") {
        let escaped: String = text.bytes().map(|byte| format!("%{byte:02x}")).collect();
        prop_assert_eq!(decoded(&escaped), Some(text));
    }
}
