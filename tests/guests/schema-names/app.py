"""What the schema of a name says, or the code of the failure."""

import sandbar


class SchemaNames:
    def __init__(self, setup):
        self.schemas = setup.schemas

    def transform(self, record):
        try:
            schema = self.schemas.by_name(record.text())
        except sandbar.Failure as failure:
            return record.derive(value=failure.code)
        references = [f"{name} = {text}" for name, text in schema.references.items()]
        return record.derive(value=" | ".join([schema.language, schema.text, *references]))


Transformation = sandbar.transformer(SchemaNames)
