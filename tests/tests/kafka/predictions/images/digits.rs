//! The digits that come with Sandbar.

use super::*;

/// The rows of a CSV file, without its header.
fn csv(name: &str) -> Vec<Vec<f64>> {
    let text = std::fs::read_to_string(digits().join(name)).unwrap();
    let row = |line: &str| line.split(',').map(|cell| cell.parse().unwrap()).collect();
    text.lines().skip(1).map(row).collect()
}

/// An 8-bit grey BMP of 8 x 8 pixels.
fn bmp(pixels: &[f64]) -> Vec<u8> {
    let mut file = b"BM".to_vec();
    let words: [u32; 13] = [
        1078 + 64,
        0,
        1078, // the file's size, nothing, where the pixels are
        40,
        8,
        8_u32.wrapping_neg(), // a header's size, width, height from the top down
        1 | 8 << 16,
        0,
        64,
        2835,
        2835,
        256,
        0, // planes and bits, and the rest
    ];
    words.iter().for_each(|word| file.extend(word.to_le_bytes()));
    (0..=255).for_each(|grey| file.extend([grey, grey, grey, 0]));
    file.extend(pixels.iter().map(|pixel| *pixel as u8));
    file
}

on_each_broker! {
    /// Fifty digits as PNG files, each recognised.
    fn digits_are_recognised(broker: &Broker) {
        let topics = topics(broker);
        let mut files: Vec<PathBuf> = std::fs::read_dir(digits().join("samples"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        files.sort();
        let sent: Vec<Sent> = files
            .iter()
            .map(|file| Sent::keyed(file.file_stem().unwrap().display(), std::fs::read(file).unwrap()))
            .collect();
        broker.send(&topics[0], &sent);
        let runner = Runner::start(broker, &images(&topics, &digits(), "top = 5"));
        let received = broker.receive(&topics[1], sent.len());
        assert_eq!(runner.stop().unwrap().failed(), 0);
        for record in &received {
            let key = String::from_utf8(record.key.clone().unwrap()).unwrap();
            let digit = key.split_once('-').unwrap().1;
            assert_eq!(json(record)["label"], digit, "{key}: {}", record.text());
            assert_eq!(record.header("sandbar-model"), "digits@1");
            assert_eq!(json(record)["probabilities"].as_object().unwrap().len(), 5);
        }
    }

    /// The classic example sends paths: the runner gets what they name, and what they may
    /// not name is a dead letter.
    fn a_topic_of_paths(broker: &Broker) {
        let topics = topics(broker);
        let samples = digits().join("samples");
        let mut names: Vec<String> = std::fs::read_dir(&samples)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        let good = names.iter().map(|name| Sent::keyed(name, name.as_str()));
        let bad = ["../model.onnx", "/etc/hostname", "nowhere.png"];
        let sent: Vec<Sent> = good.chain(bad.map(|path| Sent::keyed(path, path))).collect();
        broker.send(&topics[0], &sent);
        let references = format!("\n[references]\nallow = [\"{}\"]\n", samples.display());
        let manifest = images(&topics, &digits(), "top = 1") + &references;
        let runner = Runner::start(broker, &manifest);
        let received = broker.receive(&topics[1], names.len());
        let dead = broker.receive(&topics[2], bad.len());
        runner.stop().unwrap();
        for (record, name) in received.iter().zip(&names) {
            let digit = name.trim_end_matches(".png").split_once('-').unwrap().1;
            assert_eq!((json(record)["label"].as_str(), &record.key), (Some(digit), &Some(name.clone().into_bytes())));
        }
        let codes: Vec<String> = dead.iter().map(|letter| letter.header("sandbar-code")).collect();
        assert_eq!(codes, ["invalid", "invalid", "missing"]);
        assert_eq!(dead[0].text(), "../model.onnx");
        assert_eq!(dead[0].header("sandbar-stage"), "references");
    }

    /// What is no picture becomes a dead letter with its reason; its neighbours go on.
    fn bad_pictures_fail_alone(broker: &Broker) {
        let topics = topics(broker);
        let good = bmp(&csv("held-out.csv")[0][2..]);
        // A header that claims 100,000 x 100,000 pixels.
        let mut bomb = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
        bomb.extend([0, 1, 0x86, 0xa0, 0, 1, 0x86, 0xa0, 8, 2, 0, 0, 0]);
        bomb.extend([0; 4]);
        let photograph = "operators/image-features/testdata/images/jpeg-420.jpg";
        let photograph = std::fs::read(project().join(photograph)).unwrap();
        let sent = [
            ("good", Some(good.clone())),
            ("cut photograph", Some(photograph[..photograph.len() / 2].to_vec())),
            ("text", Some(b"a text file".to_vec())),
            ("empty", Some(Vec::new())),
            ("null", None),
            ("cut", Some(good[..good.len() - 10].to_vec())),
            ("bomb", Some(bomb)),
            ("tiff", Some(b"II*\0\x08\0\0\0\0\0".to_vec())),
            ("also good", Some(good)),
        ];
        let sent = sent.map(|(key, value)| Sent { value, ..Sent::keyed(key, "") });
        broker.send(&topics[0], &sent);
        let runner = Runner::start(broker, &images(&topics, &digits(), "top = 1"));
        let good = broker.receive(&topics[1], 2);
        let dead = broker.receive(&topics[2], 7);
        runner.stop().unwrap();
        assert_eq!((good.len(), dead.len(), good[0].text()), (2, 7, good[1].text()));
        let codes: BTreeMap<String, String> = dead
            .iter()
            .map(|letter| {
                let key = String::from_utf8(letter.key.clone().unwrap()).unwrap();
                (key, letter.header("sandbar-code"))
            })
            .collect();
        let due = [
            ("bomb", "too-large"), ("cut", "malformed"), ("cut photograph", "malformed"), ("empty", "missing"),
            ("null", "missing"), ("text", "malformed"), ("tiff", "unsupported"),
        ];
        let due = due.map(|(key, code)| (key.to_owned(), code.to_owned()));
        assert_eq!(codes, BTreeMap::from(due));
    }
}

/// All rows that the model was not trained with: as ONNX Runtime computed them, and as
/// well recognised as the model's description says.
#[test]
fn held_out_digits_as_onnx_runtime() {
    let broker = Broker::mock();
    let topics = topics(&broker);
    let (pixels, golden) = (csv("held-out.csv"), csv("golden.csv"));
    let sent: Vec<Sent> = pixels.iter().map(|row| Sent::keyed(row[0], bmp(&row[2..]))).collect();
    broker.send(&topics[0], &sent);
    let manifest = images(&topics, &digits(), "").replace("unknown_below = 0.5", "stack = 8");
    let runner = Runner::start(&broker, &manifest);
    let received = broker.receive(&topics[1], sent.len());
    assert_eq!(runner.stop().unwrap().failed(), 0);
    assert_eq!((received.len(), golden.len()), (359, 359));
    let mut right = 0;
    for (record, row) in received.iter().zip(&golden) {
        assert_eq!(record.key, Some(row[0].to_string().into_bytes()));
        let prediction = json(record);
        right += usize::from(prediction["label"] == row[1].to_string().as_str());
        for (digit, due) in row[2..].iter().enumerate() {
            let found = prediction["probabilities"][digit.to_string()].as_f64().unwrap();
            assert!((found - due).abs() < 1e-4, "{}, digit {digit}: {found}, not {due}", row[0]);
        }
    }
    let text = std::fs::read_to_string(digits().join("model.toml")).unwrap();
    assert!(text.contains("held_out_rows = 359\nheld_out_recognised = 356"), "{text}");
    assert_eq!(right, 356);
}

/// A network that takes bytes, channels last, gets them without a word about their type.
#[test]
fn a_network_of_bytes_gets_bytes() {
    let rest = "[preprocessing]\nwidth = 4\nheight = 2\nlayout = \"nhwc\"\n\
                [postprocessing]\nsoftmax = true\n";
    let files: [(&str, &[u8]); 2] =
        [("m.onnx", &graphs::mean_colour()), ("labels.txt", b"red\ngreen\nblue\n")];
    let labels = "[labels]\nfile = \"labels.txt\"\n";
    let folder = folder(&files, &format!("{labels}{rest}"));
    let broker = Broker::mock();
    let topics = topics(&broker);
    // 8 bits each, greys: all channels have one mean.
    let mut picture = bmp(&[200.0; 64]);
    // The palette makes all of them blue 100, green 101, red 98.
    for entry in picture[54..54 + 1024].as_chunks_mut::<4>().0 {
        *entry = [100, 101, 98, 0];
    }
    broker.send(&topics[0], &[Sent::keyed("one", picture)]);
    let runner = Runner::start(&broker, &images(&topics, folder.path(), ""));
    let received = broker.receive(&topics[1], 1);
    assert_eq!(runner.stop().unwrap().failed(), 0);
    let prediction = json(&received[0]);
    assert_eq!(prediction["label"], "green");
    let sum: f64 = [98.0_f64, 101.0, 100.0].iter().map(|mean| (mean - 101.0).exp()).sum();
    for (label, mean) in [("red", 98.0_f64), ("green", 101.0), ("blue", 100.0)] {
        let found = prediction["probabilities"][label].as_f64().unwrap();
        let due = (mean - 101.0).exp() / sum;
        assert!((found - due).abs() < 1e-6, "{label}: {found}, not {due}");
    }
}

/// A network of other weights is refused for its samples, tensors as well as pictures, and the old
/// one goes on; one that reproduces them serves.
#[test]
fn a_network_is_tried_on_its_samples_before_it_serves() {
    let broker = Broker::mock();
    let topics = topics(&broker);
    let picture = std::fs::read(digits().join("samples/0004-4.png")).unwrap();
    let runner = Runner::start(&broker, &images(&topics, &digits(), "top = 1"));
    broker.send(&topics[0], &[Sent::value(picture.clone())]);
    broker.receive(&topics[1], 1);
    let good = std::fs::read(digits().join("model.onnx")).unwrap();
    let mut broken = good.clone();
    broken[40_000..48_000].fill(0);
    let text = std::fs::read_to_string(digits().join("model.toml")).unwrap();
    let text = &text[text.find("[[inputs]]").unwrap()..text.find("[provenance]").unwrap()];
    let golden = project().join("tests/golden/samples");
    let place = |model: &[u8], samples: &str| {
        let rest = format!("{text}[samples]\nfile = \"{samples}\"\n");
        let folder = folder(&[("m.onnx", model)], &rest);
        std::fs::create_dir(folder.path().join("samples")).unwrap();
        let table = std::fs::read_to_string(golden.join("digits.csv")).unwrap();
        let pictures = table.lines().skip(1).filter_map(|line| line.split(',').next());
        for name in pictures.chain(["labels.txt"]) {
            std::fs::copy(digits().join(name), folder.path().join(name)).unwrap();
        }
        for name in ["digits.npz", "digits.csv"] {
            std::fs::copy(golden.join(name), folder.path().join(name)).unwrap();
        }
        let models = BTreeMap::from([("images".into(), folder.path().to_owned().into())]);
        (folder, SwapSpec { models, ..SwapSpec::default() })
    };
    let deployment = runner.deployment();
    for (samples, due) in
        [("digits.npz", ": output 'probabilities' is "), ("digits.csv", ".png: 'probabilities.")]
    {
        let (_folder, change) = place(&broken, samples);
        let error = deployment.swap(&change).unwrap_err().to_string();
        assert!(error.contains(due) && error.contains("samples of test@3"), "{error}");
        assert!(error.contains(&format!("{samples}, row ")), "{error}");
    }
    assert_eq!(deployment.revision().number, 1);
    broker.send(&topics[0], &[Sent::value(picture.clone())]);
    let received = broker.receive(&topics[1], 2);
    assert_eq!(received[1].header("sandbar-model"), "digits@1");
    let mut folders = Vec::new();
    for (number, samples) in ["digits.npz", "digits.csv"].into_iter().enumerate() {
        let (folder, change) = place(&good, samples);
        folders.push(folder);
        let swap = deployment.swap(&change).unwrap();
        assert_eq!((swap.samples, swap.revision.number), (8, number as u64 + 2));
    }
    broker.send(&topics[0], &[Sent::value(picture.clone())]);
    let received = broker.receive(&topics[1], 3);
    assert_eq!(received[2].header("sandbar-model"), "test@3");
    assert_eq!(runner.stop().unwrap().failed(), 0);
}

/// What is wrong with a model is known before the pipeline runs.
#[test]
fn models_that_cannot_be_used_are_refused_with_their_reason() {
    let names = ["images", "labels", "dead"].map(str::to_owned);
    let refusal = |folder: &tempfile::TempDir| {
        let error = plan(&images(&names, folder.path(), ""), "localhost:1").err().unwrap();
        error.to_string().replace(&folder.path().display().to_string(), "FOLDER")
    };
    let model = std::fs::read(digits().join("model.onnx")).unwrap();
    let description = std::fs::read_to_string(digits().join("model.toml")).unwrap();
    let preprocessing = description.find("[preprocessing]").unwrap();
    let preprocessing = &description[preprocessing..description.find("[provenance]").unwrap()];
    let labels = "[labels]\nfile = \"labels.txt\"\n";

    let nine = folder(
        &[("m.onnx", &model), ("labels.txt", b"0\n1\n2\n3\n4\n5\n6\n7\n8\n")],
        &format!("{labels}{preprocessing}"),
    );
    let error = refusal(&nine);
    assert!(error.ends_with("model 'images': FOLDER/labels.txt: expected 10 labels, one for each class of the model, got 9; use the list that belongs to it"), "{error}");

    let changed = folder(&[("m.onnx", &model)], preprocessing);
    std::fs::write(changed.path().join("m.onnx"), b"changed").unwrap();
    let error = refusal(&changed);
    assert!(error.contains("the sha256 of m.onnx is "), "{error}");

    let error = refusal(&folder(&[("m.onnx", &model[..model.len() / 2])], preprocessing));
    assert!(
        error.contains("model 'images': FOLDER/m.onnx: test@3: not a readable graph of kind onnx"),
        "{error}"
    );

    let error = refusal(&folder(&[("m.onnx", &graphs::unknown_operation())], preprocessing));
    assert!(
        error.contains("FOLDER/m.onnx: test@3: operation Levitate (node 'y') is not supported: "),
        "{error}"
    );

    let error = refusal(&folder(&[("m.onnx", &graphs::three_inputs())], preprocessing));
    assert!(error.ends_with("stage 'score': the operator refuses its configuration: model 'images': input 'a': the extractor gives no tensor of this name: it gives image"), "{error}");

    let declared =
        format!("[[inputs]]\nname = \"picture\"\nshape = [\"N\", 1, 8, 8]\n{preprocessing}");
    let error = refusal(&folder(&[("m.onnx", &model)], &declared));
    assert!(error.ends_with("the graph has no input 'picture': its inputs are image"), "{error}");

    let declared =
        format!("[[outputs]]\nname = \"probabilities\"\nshape = [\"N\", 1000]\n{preprocessing}");
    let error = refusal(&folder(&[("m.onnx", &model)], &declared));
    let words = "output 'probabilities' is fp32 of [N, 10], the model declares fp32 of [N, 1000]";
    assert!(error.ends_with(words), "{error}");

    let error =
        refusal(&folder(&[("m.onnx", &model)], &preprocessing.replace("width = 8", "width = 9")));
    assert!(
        error.contains("stage 'features': the operator refuses its configuration: "),
        "{error}"
    );
}
