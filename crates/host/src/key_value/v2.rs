//! The functions of `fermyon:spin/key-value@2.0.0`, whose stores are the same.

use wasmtime::component::Resource;

use super::Store;
use crate::bindings::v2::key_value::{Error, Host, HostStore};
use crate::state::State;

impl From<super::Error> for Error {
    fn from(error: super::Error) -> Self {
        match error {
            super::Error::StoreTableFull => Self::StoreTableFull,
            super::Error::NoSuchStore => Self::NoSuchStore,
            super::Error::AccessDenied => Self::AccessDenied,
            super::Error::Other(cause) => Self::Other(cause),
        }
    }
}

impl Host for State {
    fn convert_error(&mut self, error: Error) -> wasmtime::Result<Error> {
        Ok(error)
    }
}

impl State {
    fn store(&self, store: &Resource<Store>) -> Result<&Store, Error> {
        self.table.get(store).map_err(|_| Error::NoSuchStore)
    }
}

impl HostStore for State {
    async fn open(&mut self, label: String) -> Result<Resource<Store>, Error> {
        let store = self.component.stores.open(&label)?;
        self.table.push(store).map_err(|_| Error::StoreTableFull)
    }

    async fn get(&mut self, store: Resource<Store>, key: String) -> Result<Option<Vec<u8>>, Error> {
        let store = self.store(&store)?;
        Ok(store.database.get(&store.label, &key)?)
    }

    async fn set(&mut self, store: Resource<Store>, key: String, value: Vec<u8>) -> Result<(), Error> {
        let store = self.store(&store)?;
        Ok(store.database.set(&store.label, &key, &value)?)
    }

    async fn delete(&mut self, store: Resource<Store>, key: String) -> Result<(), Error> {
        let store = self.store(&store)?;
        Ok(store.database.delete(&store.label, &key)?)
    }

    async fn exists(&mut self, store: Resource<Store>, key: String) -> Result<bool, Error> {
        let store = self.store(&store)?;
        Ok(store.database.get(&store.label, &key)?.is_some())
    }

    async fn get_keys(&mut self, store: Resource<Store>) -> Result<Vec<String>, Error> {
        let store = self.store(&store)?;
        Ok(store.database.keys(&store.label)?)
    }

    async fn drop(&mut self, store: Resource<Store>) -> wasmtime::Result<()> {
        self.table.delete(store)?;
        Ok(())
    }
}
