//! The function of `fermyon:spin/variables@2.0.0`.

use super::Failure;
use crate::bindings::v2::variables::{Error, Host};
use crate::state::State;

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::InvalidName(text) => Self::InvalidName(text),
            Failure::Undefined(text) => Self::Undefined(text),
            Failure::Provider(text) => Self::Provider(text),
            Failure::InvalidTemplate(_) => Self::Other(failure.to_string()),
        }
    }
}

impl Host for State {
    fn convert_error(&mut self, error: Error) -> wasmtime::Result<Error> {
        Ok(error)
    }

    async fn get(&mut self, name: String) -> Result<String, Error> {
        Ok(self.component.variables.get(&self.component.id, &name)?)
    }
}
