//! File names from a caller, made safe on every system.

/// The longest name that common file systems take, in bytes.
const LONGEST: usize = 255;

/// The longest extension, with its dot, that survives when a name is cut.
const EXTENSION: usize = 32;

/// What remains of a name when nothing else does.
const NAMELESS: &str = "upload";

/// One plain file name, whatever was sent.
pub(super) fn cleaned(raw: &str) -> String {
    let last = raw.rsplit(['/', '\\']).next().unwrap_or_default();
    let name: String = last.chars().filter(|letter| !is_hidden(*letter)).map(harmless).collect();
    let dot_or_space = |letter: char| letter == '.' || letter.is_whitespace();
    // Leading dots hide a file; Windows drops those at the end, and spaces.
    let name = name.trim_matches(dot_or_space);
    let name = if is_reserved(name) { format!("_{name}") } else { name.to_owned() };
    let name = fitted(&name, "");
    if name.is_empty() { NAMELESS.to_owned() } else { name }
}

/// The name for the `count`th file of the same name: `a.txt`, `a-1.txt`, `a-2.txt`.
pub(super) fn numbered(name: &str, count: u32) -> String {
    if count == 0 { name.to_owned() } else { fitted(name, &format!("-{count}")) }
}

/// The name with `mark` before its extension, its stem cut so that the whole is not too long.
fn fitted(name: &str, mark: &str) -> String {
    let dot = name.rfind('.').filter(|dot| name.len() - dot <= EXTENSION).unwrap_or(name.len());
    let (stem, extension) = name.split_at(dot);
    let room = LONGEST - mark.len() - extension.len();
    let stem = &stem[..stem.floor_char_boundary(room)];
    let stem = if extension.is_empty() && mark.is_empty() { stem.trim_end_matches(['.', ' ']) } else { stem };
    format!("{stem}{mark}{extension}")
}

/// Control characters, and the marks that turn the direction of writing so that `exe.txt` reads otherwise.
fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

fn harmless(letter: char) -> char {
    if r#"<>:"|?*"#.contains(letter) { '_' } else { letter }
}

/// True for the names of Windows' devices, with any extension.
fn is_reserved(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_ascii_uppercase();
    let numbered = stem.strip_prefix("COM").or_else(|| stem.strip_prefix("LPT"));
    let digit = |rest: &str| {
        matches!(rest, "0" | "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9" | "¹" | "²" | "³")
    };
    matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$")
        || numbered.is_some_and(digit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_table_of_hostile_names() {
        let rows = [
            ("a.txt", "a.txt"),
            ("my report 2026.pdf", "my report 2026.pdf"),
            ("中文 文件.txt", "中文 文件.txt"),
            ("naïve👩‍🚀.png", "naïve👩‍🚀.png"),
            ("../a.txt", "a.txt"),
            ("../../../../etc/passwd", "passwd"),
            ("/etc/passwd", "passwd"),
            ("//server/share/a", "a"),
            ("\\\\server\\share\\a", "a"),
            ("C:\\Users\\me\\a.txt", "a.txt"),
            ("C:/Users/me/a.txt", "a.txt"),
            ("C:a.txt", "C_a.txt"),
            ("..\\..\\boot.ini", "boot.ini"),
            ("a/b\\c", "c"),
            ("a\\b/c", "c"),
            ("a/", "upload"),
            ("a\\", "upload"),
            ("/", "upload"),
            ("", "upload"),
            (".", "upload"),
            ("..", "upload"),
            ("...", "upload"),
            (". .", "upload"),
            ("   ", "upload"),
            ("..\u{0}", "upload"),
            ("\u{0}", "upload"),
            (".htaccess", "htaccess"),
            ("..bashrc", "bashrc"),
            (" .env", "env"),
            (".\u{0}.\u{1}ssh", "ssh"),
            ("a.txt.", "a.txt"),
            ("a.txt. . ", "a.txt"),
            ("a\u{0}.txt", "a.txt"),
            ("a.php\u{0}.jpg", "a.php.jpg"),
            ("a\r\nSet-Cookie: x=1", "aSet-Cookie_ x=1"),
            ("a\u{7f}\u{85}\u{9b}b", "ab"),
            ("invoice\u{202e}fdp.exe", "invoicefdp.exe"),
            ("\u{2066}a\u{2069}\u{200f}\u{feff}.txt", "a.txt"),
            ("%2e%2e%2fetc%2fpasswd", "%2e%2e%2fetc%2fpasswd"),
            ("<script>.html", "_script_.html"),
            ("a:stream", "a_stream"),
            ("a.txt::$DATA", "a.txt__$DATA"),
            ("a\"b|c?d*e", "a_b_c_d_e"),
            ("???", "___"),
            ("con", "_con"),
            ("CON.txt", "_CON.txt"),
            ("Nul .tar.gz", "_Nul .tar.gz"),
            ("aux.", "_aux"),
            (".prn", "_prn"),
            ("x/COM1", "_COM1"),
            ("lpt9.log", "_lpt9.log"),
            ("com¹", "_com¹"),
            ("CONIN$", "_CONIN$"),
            ("conf", "conf"),
            ("com10", "com10"),
            ("console.log", "console.log"),
            ("~", "~"),
            ("-rf", "-rf"),
            ("$(reboot)", "$(reboot)"),
            ("．．／etc", "．．／etc"),
        ];
        for (raw, wanted) in rows {
            assert_eq!(cleaned(raw), wanted, "{raw:?}");
        }
    }

    #[test]
    fn long_names_are_cut_between_letters_and_keep_their_extension() {
        let name = cleaned(&format!("{}.jpeg", "中".repeat(200)));
        assert_eq!(name, format!("{}.jpeg", "中".repeat(83)));
        assert_eq!(cleaned(&"x".repeat(300)), "x".repeat(255));
        assert_eq!(cleaned(&format!("a.{}", "y".repeat(300))).len(), 255);
        assert_eq!(cleaned(&format!("{} {}", "x".repeat(254), "y".repeat(9))), "x".repeat(254));
    }

    #[test]
    fn a_number_goes_before_the_extension_and_the_name_stays_short() {
        assert_eq!(numbered("a.tar.gz", 0), "a.tar.gz");
        assert_eq!(numbered("a.tar.gz", 2), "a.tar-2.gz");
        assert_eq!(numbered("a", 1), "a-1");
        let long = numbered(&format!("{}.txt", "x".repeat(251)), 12);
        assert_eq!(long, format!("{}-12.txt", "x".repeat(248)));
    }

    proptest! {
        #[test]
        fn every_name_is_one_plain_component(raw in "\\PC{0,300}|[./\\\\ a:\u{0}]{0,20}", count in 0u32..100_000) {
            let name = numbered(&cleaned(&raw), count);
            prop_assert!((1..=LONGEST).contains(&name.len()));
            prop_assert!(!name.starts_with('.') && !name.ends_with(['.', ' ']));
            prop_assert!(!name.contains(|c: char| c.is_control() || r#"/\<>:"|?*"#.contains(c)));
            prop_assert!(!is_reserved(&name));
        }

        #[test]
        fn a_clean_name_stays(raw in "\\PC{0,300}") {
            let name = cleaned(&raw);
            prop_assert_eq!(cleaned(&name), name);
        }
    }
}
