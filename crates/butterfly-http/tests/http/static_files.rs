//! Static files over the wire: what is there, and nothing else, whatever a path says.

use crate::support::{TestServer, get, request};

fn server() -> TestServer {
    let server = TestServer::start();
    std::fs::create_dir_all(server.folder.join("static/sub")).unwrap();
    std::fs::write(server.folder.join("static/a.css"), "body {}").unwrap();
    std::fs::write(server.folder.join("static/sub/index.html"), "<p>").unwrap();
    std::fs::write(server.folder.join("secret.txt"), "secret").unwrap();
    std::fs::create_dir(server.folder.join("staticfoo")).unwrap();
    std::fs::write(server.folder.join("staticfoo/a.html"), "secret").unwrap();
    server
}

#[test]
fn files_below_the_prefix_are_served() {
    let server = server();
    let answer = server.get("/static/a.css");
    assert_eq!((answer.status, answer.text()), (200, "body {}"));
    assert_eq!(answer.header("content-type"), Some("text/css; charset=utf-8"));
    assert_eq!(server.lines.columns(answer.reqid())[6], "/static/a.css");
    assert_eq!(server.get("/static/sub/").text(), "<p>");
    let head = server.connect().send(request("HEAD", "/static/a.css", &[], b"")).head();
    assert_eq!(head.header("content-length"), Some("7"));
}

#[test]
fn what_is_not_there_is_404() {
    let server = server();
    for path in ["/static/none", "/static", "/static/", "/static/sub/none.html"] {
        let answer = server.get(path);
        assert_eq!((answer.status, answer.header("x-reason")), (404, Some("File Not Found")), "{path}");
        assert_eq!(server.lines.column(answer.reqid(), "stat"), "404");
    }
    for (path, method) in [("/staticfoo/a.html", "GET"), ("/static/a.css", "POST"), ("/Static/a.css", "GET")]
    {
        let answer = server.ask(request(method, path, &[], b""));
        assert_eq!(answer.header("x-reason"), Some("API Not Found"), "{method} {path}");
    }
}

#[test]
fn no_path_leads_out_of_the_folder() {
    let server = server();
    let ups = [
        "..",
        "%2e%2e",
        "%2E.",
        ".%2e",
        "%252e%252e",
        "..%00",
        "%c0%ae%c0%ae",
        "..;",
        "....",
        ". .",
        "%uff0e%uff0e",
        "\u{ff0e}\u{ff0e}",
        "%ef%bc%8e%ef%bc%8e",
        "...",
    ];
    let slashes = ["/", "%2f", "%2F", "\\", "%5c", "//", "%252f", "/./", "%c0%af"];
    let mut tried = 0;
    for up in ups {
        for slash in slashes {
            for target in [
                format!("/static/{up}{slash}secret.txt"),
                format!("/static/sub/{up}{slash}{up}{slash}secret.txt"),
                format!("/static{slash}{up}{slash}secret.txt"),
                format!("/static/{up}{slash}staticfoo/a.html"),
                format!("/static/{slash}{}", server.folder.join("secret.txt").display()),
            ] {
                let answer = server.get(&target);
                assert!(matches!(answer.status, 400 | 404), "{target}: {answer:?}");
                assert!(!answer.text().contains("secret"), "{target}");
                tried += 1;
            }
        }
    }
    assert!(tried > 600);
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(server.folder.join("secret.txt"), server.folder.join("static/link"))
            .unwrap();
        assert_eq!(server.ask(get("/static/link")).status, 404);
    }
    server.assert_alive();
}
