import fc from 'fast-check';

// Run for hundreds of changes of the source: what a random input shows, it shows within the first few hundred.
fc.configureGlobal({ ...fc.readConfigureGlobal(), interruptAfterTimeLimit: 60 });
