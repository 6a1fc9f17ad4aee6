//! Graphs that are in order, or not graphs at all.

use super::*;

#[test]
fn a_component_without_our_sdk_computes() {
    let mut scorer = scorer(&sandbox(), vec![digits()], PATIENT);
    let by_name = obey(&mut scorer, "named digits image 1x1x8x8 fp32 -1").unwrap();
    assert_eq!(by_name[0], 10.0);
    assert!((by_name[1] - 1.0).abs() < 1e-5 && by_name[2] > 0.1, "{by_name:?}");
    let by_index = obey(&mut scorer, "named digits 0 1x1x8x8 fp32 -1").unwrap();
    assert_eq!(by_index, by_name);
    let own = obey(&mut scorer, "bytes onnx cpu image 1x1x8x8 fp32 -1").unwrap();
    assert_eq!(own, by_name);
    // Ten at a time: as many numbers, each as before but for rounding.
    let ten = obey(&mut scorer, "named digits image 10x1x8x8 fp32 -1").unwrap();
    assert_eq!(ten[0], 100.0);
    assert!((ten[1] - 10.0).abs() < 1e-4 && (ten[2] - by_name[2]).abs() < 1e-6, "{ten:?}");
}

#[test]
fn what_is_wrong_is_an_error_with_its_code_and_its_model() {
    let mut scorer = scorer(&sandbox(), vec![digits()], PATIENT);
    let due = "got fp32 of [1, 2, 8, 8], expected fp32 of [N, 1, 8, 8]";
    for (command, error) in [
        ("named nothing image 1x1x8x8 fp32 0", "NotFound: model 'nothing' is not granted to this stage; name it in the stage's `models`".to_owned()),
        ("named digits image 1x2x8x8 fp32 0", format!("InvalidArgument: model 'digits@1': input 'image': {due}")),
        ("named digits image 1x1x8x8 fp64 0", "InvalidArgument: model 'digits@1': input 'image': got fp64 of [1, 1, 8, 8], expected fp32 of [N, 1, 8, 8]".to_owned()),
        ("named digits image 0x1x8x8 fp32 0", "InvalidArgument: model 'digits@1': input 'image': got fp32 of [0, 1, 8, 8], expected fp32 of [N, 1, 8, 8]".to_owned()),
        ("named digits picture 1x1x8x8 fp32 0", "InvalidArgument: model 'digits@1': unknown input 'picture': the inputs are image".to_owned()),
        ("named digits 1 1x1x8x8 fp32 0", "InvalidArgument: model 'digits@1': unknown input '1': the inputs are image".to_owned()),
        ("missing digits", "InvalidArgument: model 'digits@1': input 'image' is missing: the inputs are image".to_owned()),
        ("twice digits image 1x1x8x8 fp32 0", "InvalidArgument: model 'digits@1': input 'image': given twice".to_owned()),
        ("short digits image 1x1x8x8 fp32 0", "InvalidArgument: model 'digits@1': input 'image': 255 bytes of data do not match the dimensions [1, 1, 8, 8]".to_owned()),
        ("bytes ggml cpu image 1x1x8x8 fp32 0", "InvalidEncoding: graph encoding GraphEncoding::Ggml is not supported; use onnx or tensorflow".to_owned()),
        ("bytes onnx gpu image 1x1x8x8 fp32 0", "UnsupportedOperation: target ExecutionTarget::Gpu is not supported; use the target cpu".to_owned()),
    ] {
        assert_eq!(obey(&mut scorer, command), Err(error), "{command}");
    }
    let wrong = obey(&mut scorer, "bytes tensorflow cpu image 1x1x8x8 fp32 0").unwrap_err();
    assert!(
        wrong.starts_with(
            "InvalidEncoding: the operator's own graph: not a readable graph of kind tensorflow"
        ),
        "{wrong}"
    );
    // The instance is none the worse for any of it.
    assert!(obey(&mut scorer, "named digits image 1x1x8x8 fp32 1").is_ok());
}

#[test]
fn a_graph_of_its_own_is_refused_unless_granted() {
    let command = "bytes onnx cpu image 1x1x8x8 fp32 0";
    let refused = |load| {
        let mut scorer = scorer(&sandbox(), vec![], NnLimits { load, ..PATIENT });
        obey(&mut scorer, command).unwrap_err()
    };
    assert!(refused(0).starts_with("Security: this stage may not bring graphs; set load-graphs"));
    let size = std::fs::metadata(project().join("models/digits/model.onnx")).unwrap().len();
    assert_eq!(
        refused(1000),
        format!("TooLarge: {size} bytes; the stage's load-graphs allows 1000")
    );
}

#[test]
fn each_element_type_that_tract_has_goes_through() {
    let types = [
        ("fp16", Ty::F16),
        ("fp32", Ty::F32),
        ("fp64", Ty::F64),
        ("u8", Ty::U8),
        ("i32", Ty::I32),
        ("i64", Ty::I64),
    ];
    for (name, ty) in types {
        let mut scorer = scorer(&sandbox(), vec![graph("g", graphs::to_f32(ty))], PATIENT);
        let number = if name == "fp16" { 0.0 } else { 3.0 };
        let found = obey(&mut scorer, &format!("named g x 2x3 {name} 3"));
        assert_eq!(found, Ok([6.0, 6.0 * number, number]), "{name}");
    }
    let mut scorer = scorer(&sandbox(), vec![graph("g", graphs::to_f32(Ty::F32))], PATIENT);
    let refused = obey(&mut scorer, "named g x 2x3 bf16 0").unwrap_err();
    assert!(
        refused.contains("bf16 are not supported") || refused.contains("expected"),
        "{refused}"
    );
    // An output of a type that wasi:nn lacks is named.
    let mut scorer = self::scorer(&sandbox(), vec![graph("g", graphs::to_bool())], PATIENT);
    let refused = obey(&mut scorer, "named g x 2x3 fp32 0").unwrap_err();
    assert!(
        refused.starts_with("UnsupportedOperation: model 'g': elements of type Bool"),
        "{refused}"
    );
}
