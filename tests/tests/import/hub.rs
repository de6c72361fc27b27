//! Models of the hub: fetched from a server that answers as the hub does, and a clear error without one.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::tempdir;

use crate::sources::{case, folder_of};

fn import(endpoint: &str, folder: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_larp-cli-under-test"));
    command.args(["import", "owner/larp-of-a-case", "-o", "run"]).current_dir(folder);
    for proxy in ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
        command.env_remove(proxy);
    }
    command.env("HF_ENDPOINT", endpoint).env("HF_HOME", folder.join("cache")).output().expect("it starts")
}

#[test]
fn without_a_network_the_error_says_what_to_do() {
    let folder = tempdir().expect("a folder");
    // a port that was free a moment ago, and that nobody listens at
    let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port").port();
    let output = import(&format!("http://127.0.0.1:{port}"), folder.path());
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1));
    let expected = "error: cannot fetch `config.json` of `owner/larp-of-a-case` from the Hugging Face hub; without a network, copy its \
                    `config.json` and `model.safetensors` into a folder and import the folder\n  caused by: ";
    assert!(error.starts_with(expected), "{error}");
    assert!(!folder.path().join("run").exists());
}

#[test]
fn a_model_is_fetched_by_its_id_once() {
    let folder = tempdir().expect("a folder");
    let model = folder_of(&case("tokenizer_vq"), &folder.path().join("model"));
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || listener.incoming().flatten().for_each(|stream| drop(answer(stream, &model))));
    let output = import(&endpoint, folder.path());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let pipeline = fs::read_to_string(folder.path().join("run/pipeline.toml")).expect("written");
    assert!(pipeline.starts_with("name = \"larp-of-a-case\"\n"), "{pipeline}");
    fs::remove_dir_all(folder.path().join("run")).expect("there");
    // now it lies in the hub's cache
    let output = import("http://127.0.0.1:9", folder.path());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// One request: the whole file or a range of it.
fn answer(mut stream: TcpStream, model: &Path) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let request = lines.next().unwrap_or_else(|| Ok(String::new()))?;
    let mut range = None;
    for line in lines {
        let line = line?.to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        range = line.strip_prefix("range: bytes=").map(str::to_owned).or(range);
    }
    let name = request.split(' ').nth(1).and_then(|path| path.strip_prefix("/owner/larp-of-a-case/resolve/main/"));
    let bytes: Option<(PathBuf, Vec<u8>)> =
        name.map(|name| model.join(name)).and_then(|path| Some((path.clone(), fs::read(path).ok()?)));
    let Some((path, bytes)) = bytes else {
        return stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    };
    let (start, end) = range.as_deref().and_then(|range| range.split_once('-')).unwrap_or(("0", ""));
    let (start, end) = (start.parse().unwrap_or(0), end.parse().unwrap_or(bytes.len() - 1).min(bytes.len() - 1));
    let etag = path.file_name().unwrap_or_default().to_string_lossy();
    let head = format!(
        "HTTP/1.1 206 Partial Content\r\nContent-Length: {}\r\nContent-Range: bytes {start}-{end}/{}\r\nETag: \"{etag}\"\r\n\
         x-repo-commit: 0123456789abcdef\r\nAccept-Ranges: bytes\r\nConnection: close\r\n\r\n",
        end + 1 - start,
        bytes.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(&bytes[start..=end])
}
