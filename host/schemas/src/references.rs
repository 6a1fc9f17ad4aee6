//! What a schema refers to, got from the registry, as deep as it goes.

use std::time::Instant;

use crate::answers::{Answer, Link};
use crate::client::Client;
use crate::schema::{Cause, Reference, Schema, SchemaError};

/// References of one schema at most, all together.
const MOST: usize = 256;

/// A schema, but for the one that was asked for, with what it refers to and is not looked at yet.
type Begun = (Option<(Link, String)>, Vec<Link>);

/// A schema with all that it refers to.
pub(crate) async fn resolve(
    client: &Client,
    answer: Answer,
    deadline: Instant,
) -> Result<Schema, SchemaError> {
    let language = answer.language()?;
    let mut left = client.max_size();
    take(&mut left, &answer.schema, client)?;
    // Each with what it refers to still to be looked at; what is in front waits for what is behind.
    let mut stack: Vec<Begun> = vec![(None, links(answer.references))];
    let mut begun: Vec<Link> = Vec::new();
    let mut references = Vec::new();
    while let Some((_, waiting)) = stack.last_mut() {
        let Some(link) = waiting.pop() else {
            if let Some((Some((link, text)), _)) = stack.pop() {
                references.push(Reference { name: link.name, text });
            }
            continue;
        };
        if let Some(other) = begun.iter().find(|other| other.name == link.name) {
            if *other == link {
                continue;
            }
            return Err(SchemaError::new(
                Cause::Invalid,
                format!("two different schemas are referred to as '{}'", link.name),
            ));
        }
        if begun.len() == MOST {
            let message = format!("it refers to more than {MOST} others");
            return Err(SchemaError::new(Cause::TooLarge, message));
        }
        begun.push(link.clone());
        let version = link.version.to_string();
        let path = ["subjects", &link.subject, "versions", &version];
        let about = |error: SchemaError| error.about(&format!("the reference '{}'", link.name));
        // A reference that leads nowhere is the registry's fault, not that of a record.
        let found = client.get::<Answer>(&path, deadline).await.map_err(|error| {
            about(match error.cause {
                Cause::NotFound => SchemaError { cause: Cause::Unavailable, ..error },
                _ => error,
            })
        })?;
        if found.language()? != language {
            let message = "it is in another language than what refers to it";
            return Err(about(SchemaError::new(Cause::Invalid, message)));
        }
        take(&mut left, &found.schema, client)?;
        stack.push((Some((link, found.schema)), links(found.references)));
    }
    Ok(Schema { language, text: answer.schema, references })
}

/// In the order in which they are popped.
fn links(references: Option<Vec<Link>>) -> Vec<Link> {
    let mut links = references.unwrap_or_default();
    links.reverse();
    links
}

fn take(left: &mut usize, text: &str, client: &Client) -> Result<(), SchemaError> {
    *left = left.checked_sub(text.len()).ok_or_else(|| {
        let most = client.max_size();
        SchemaError::new(
            Cause::TooLarge,
            format!("it has more than {most} bytes, with what it refers to (`max-size`)"),
        )
    })?;
    Ok(())
}
