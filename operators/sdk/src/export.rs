//! The lines that make a component of a crate: [`extractor!`](crate::extractor),
//! [`scorer!`](crate::scorer), [`transformer!`](crate::transformer).
//!
//! An instance of a component is one operator: `configure` puts it into a slot of the
//! instance, where the calls that follow find it. Natively the macros only check that
//! the type implements the trait.

/// Exports an [`Extractor`](crate::Extractor): makes this crate a component of the
/// world `extractor`. Once per crate.
#[macro_export]
macro_rules! extractor {
    ($operator:ty) => {
        const _: fn() = $crate::__private::is_extractor::<$operator>;
        $crate::__native!(extractor, $operator);
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            use $crate::__private::{Extraction, Slot, extraction, types};

            ::std::thread_local! {
                static SLOT: Slot<Extraction<$operator>> = const { Slot::new() };
            }

            struct Component;

            impl extraction::Guest for Component {
                fn configure(
                    setup: types::Setup,
                ) -> ::std::result::Result<::std::vec::Vec<types::Field>, ::std::string::String>
                {
                    $crate::__private::report_panics();
                    let extraction = Extraction::configure(setup)?;
                    let fields = extraction.fields().to_vec();
                    SLOT.with(|slot| slot.put(extraction));
                    Ok(fields)
                }

                fn extract(batch: types::Batch) -> extraction::Extracted {
                    SLOT.with(|slot| slot.with(|extraction| extraction.extract(&batch)))
                }
            }

            $crate::__private::extractor::export_extraction!(
                Component with_types_in $crate::__private::extractor
            );
        };
    };
}

/// Exports a [`Scorer`](crate::Scorer): makes this crate a component of the world
/// `scorer`. Once per crate.
#[macro_export]
macro_rules! scorer {
    ($operator:ty) => {
        const _: fn() = $crate::__private::is_scorer::<$operator>;
        $crate::__native!(scorer, $operator);
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            use $crate::__private::{Scoring, Slot, scoring, types};

            ::std::thread_local! {
                static SLOT: Slot<Scoring<$operator>> = const { Slot::new() };
            }

            struct Component;

            impl scoring::Guest for Component {
                fn configure(
                    setup: types::Setup,
                    features: ::std::vec::Vec<types::Field>,
                ) -> ::std::result::Result<scoring::Output, ::std::string::String> {
                    $crate::__private::report_panics();
                    let scoring = Scoring::configure(setup, features)?;
                    let output = scoring.output().clone();
                    SLOT.with(|slot| slot.put(scoring));
                    Ok(output)
                }

                fn score(table: types::Table) -> scoring::Scored {
                    SLOT.with(|slot| slot.with(|scoring| scoring.score(&table)))
                }
            }

            $crate::__private::scorer::export_scoring!(
                Component with_types_in $crate::__private::scorer
            );
        };
    };
}

/// Exports a [`Transformer`](crate::Transformer): makes this crate a component of the
/// world `transformer`. Once per crate.
#[macro_export]
macro_rules! transformer {
    ($operator:ty) => {
        const _: fn() = $crate::__private::is_transformer::<$operator>;
        $crate::__native!(transformer, $operator);
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            use $crate::__private::{Slot, Transformation, transformation, types};

            ::std::thread_local! {
                static SLOT: Slot<Transformation<$operator>> = const { Slot::new() };
            }

            struct Component;

            impl transformation::Guest for Component {
                fn configure(
                    setup: types::Setup,
                ) -> ::std::result::Result<(), ::std::string::String> {
                    $crate::__private::report_panics();
                    let transformation = Transformation::configure(setup)?;
                    SLOT.with(|slot| slot.put(transformation));
                    Ok(())
                }

                fn transform(batch: types::Batch) -> transformation::Transformed {
                    SLOT.with(|slot| slot.with(|transformation| transformation.transform(&batch)))
                }
            }

            $crate::__private::transformer::export_transformation!(
                Component with_types_in $crate::__private::transformer
            );
        };
    };
}

/// The operator as a native program, which `sandbar bench --native` links: a function that
/// a generated `main` calls. There is one operator in such a program.
#[cfg(all(feature = "bench", not(target_arch = "wasm32")))]
#[doc(hidden)]
#[macro_export]
macro_rules! __native {
    ($world:ident, $operator:ty) => {
        const _: () = {
            #[unsafe(no_mangle)]
            extern "C" fn sandbar_operator_native() -> i32 {
                $crate::bench::$world::<$operator>()
            }
        };
    };
}

#[cfg(not(all(feature = "bench", not(target_arch = "wasm32"))))]
#[doc(hidden)]
#[macro_export]
macro_rules! __native {
    ($world:ident, $operator:ty) => {};
}
